import type { IncomingMessage, ServerResponse } from 'node:http'

/** Requests with `Expect: 100-continue` (RFC 9110 §10.1.1) that were not told to go on yet. */
const waiting = new WeakMap<IncomingMessage, ServerResponse>()

/** Remembers that the client waits for our word before it sends the body. */
export function holdContinue(req: IncomingMessage, res: ServerResponse): void {
  waiting.set(req, res)
}

/** Whether the client still waits for `100 Continue`. */
export const awaitsContinue = (req: IncomingMessage): boolean => waiting.has(req)

/**
 * Tells a waiting client to send its body; does nothing for one that does not wait. Call it once the
 * request is authenticated, permitted and within its limits. `readBody` calls it itself.
 */
export function sendContinue(req: IncomingMessage): void {
  const res = waiting.get(req)
  if (res === undefined) return
  waiting.delete(req)
  if (!res.headersSent) res.writeContinue()
}
