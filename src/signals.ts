import type { Logger } from './core/index.ts'

/** What a running server does when it is told to. */
export interface Reactions {
  stop(): void
  reload(): void
  roll(): void
}

/**
 * Takes the signals of this process, before there is anything that could react: what is asked for
 * during the start is done right after it. A second SIGTERM or SIGINT ends the process at once.
 *
 * @returns what the reactions are handed to, once the server runs.
 */
export function catchSignals(log: Logger): (reactions: Reactions) => void {
  const missed = new Set<keyof Reactions>()
  let reactions: Reactions | undefined
  const react = (what: keyof Reactions) => (): void => {
    if (reactions) reactions[what]()
    else missed.add(what)
  }
  let isStopping = false
  const stop = react('stop')
  const stopOrEnd = (): void => {
    if (isStopping) process.exit(1)
    isStopping = true
    log.info('stopping; a second signal ends at once')
    stop()
  }
  process.on('SIGTERM', stopOrEnd).on('SIGINT', stopOrEnd)
  process.on('SIGHUP', react('reload')).on('SIGUSR2', react('roll'))
  return (ready) => {
    reactions = ready
    if (missed.has('stop')) ready.stop()
    else for (const what of missed) ready[what]()
  }
}

/** A terminal, or systemd, tells every process; the primary alone decides. */
export function ignoreSignals(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2'] as const) {
    process.on(signal, () => undefined)
  }
}
