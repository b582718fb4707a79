import { authorityOf, type Logger } from '../../core/index.ts'
import type { OutboundHead } from './contract.ts'
import { asOutboundError, OutboundError } from './errors.ts'

/** Runs under the total deadline; the signal's reason is the error. */
export async function withDeadline<T>(
  request: OutboundHead,
  timeoutMs: number,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController()
  const timer = setTimeout(
    () => abort.abort(new OutboundError('timeout', hostOf(request), { detail: { timeoutMs } })),
    timeoutMs,
  )
  try {
    return await run(abort.signal)
  } finally {
    clearTimeout(timer)
  }
}

const hostOf = ({ url }: OutboundHead): string =>
  URL.canParse(String(url)) ? authorityOf(new URL(url)) : '(unreadable)'

/** One debug line per call, and every failure in our words. */
export async function report<T extends { status: number }>(
  log: Logger,
  request: OutboundHead,
  run: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now()
  const facts = { peer: hostOf(request), method: request.method }
  const ms = (): number => Math.round(performance.now() - startedAt)
  try {
    const response = await run()
    log.debug({ ...facts, status: response.status, ms: ms() }, 'outbound request')
    return response
  } catch (thrown) {
    const error = asOutboundError(thrown, facts.peer)
    const code = error instanceof OutboundError ? error.code : 'unexpected'
    // Somebody tried to send us somewhere: worth a look even when the caller copes.
    if (code === 'blocked_address') log.warn({ ...facts, code }, 'outbound request blocked')
    else log.debug({ ...facts, code, ms: ms() }, 'outbound request failed')
    throw error
  }
}
