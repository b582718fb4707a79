import { unwatchFile, watchFile } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/index.ts'
import type { Services } from './services.ts'

/** How often the file is looked at. */
const intervalMs = 1000

/**
 * Takes over `federation` of the configuration while the server runs: when the file changes, and
 * when `reload` is called. Everything else in it waits for the next start. A broken file changes
 * nothing.
 *
 * @param load reads the configuration as it was read at the start.
 */
export function followFederation(services: Services, load: () => Config) {
  const { config, federation, events, log } = services
  const followsFile = config.source !== 'built-in defaults'

  function reload(): void {
    try {
      const next = load().federation
      if (isDeepStrictEqual(next, federation.current())) return
      federation.replace(next)
      events.emit('federation.reloaded', {})
    } catch (error) {
      log.error({ err: error }, 'the changed configuration cannot be used; the old one stays')
    }
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
