import { subscribe, unsubscribe } from 'node:diagnostics_channel'

/**
 * Counts every request the guarded client begins, to whatever host: undici announces each one, and
 * nothing else in this process speaks undici.
 */
export function countOutbound(): { count(): number; stop(): void } {
  let calls = 0
  const note = () => void (calls += 1)
  subscribe('undici:request:create', note)
  return { count: () => calls, stop: () => void unsubscribe('undici:request:create', note) }
}
