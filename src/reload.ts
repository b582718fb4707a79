import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/index.ts'
import { setLogLevel } from './core/index.ts'
import type { Server } from './server.ts'
import type { Services } from './services.ts'

/** How often the file is looked at. */
const intervalMs = 1000

/**
 * Takes over `federation` and `log.level` of the configuration, and the certificate, while the
 * server runs: when the file changes, and when `reload` is called. Everything else in it waits for
 * the next start. What cannot be used changes nothing.
 *
 * @param load reads the configuration as it was read at the start.
 */
export function followConfig(
  services: Services,
  load: () => Config,
  server: Pick<Server, 'renewCertificate'>,
) {
  const { config, federation, events, log } = services
  const followsFile = config.source !== 'built-in defaults'

  function takeOver({ log: { level }, federation: next }: Config): void {
    if (level !== log.level) {
      setLogLevel(log, level)
      events.emit('log.level-changed', { level })
    }
    if (isDeepStrictEqual(next, federation.current())) return
    federation.replace(next)
    events.emit('federation.reloaded', {})
  }

  function attempt(what: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      log.error({ err: error }, `the changed ${what} cannot be used; the old one stays`)
    }
  }

  function reload(): void {
    attempt('configuration', () => takeOver(load()))
    attempt('certificate', () => server.renewCertificate())
  }

  // By looking, not by events: editors replace files, and network file systems tell nothing.
  if (followsFile) watchFile(config.source, { interval: intervalMs, persistent: false }, reload)
  return {
    reload,
    stop: (): void => {
      if (followsFile) unwatchFile(config.source, reload)
    },
  }
}
