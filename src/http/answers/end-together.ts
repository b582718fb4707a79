import type { ServerResponse } from 'node:http'

interface Ending {
  readonly res: ServerResponse
  readonly body: string | Buffer
  readonly encoding: BufferEncoding
}

/** Nobody waits for more answers than this. */
const most = 16

let waiting: Ending[] = []

/**
 * Ends a response whose head is written, together with others of the same turn of the event loop.
 * To wake a sleeping client is a third of what a small answer costs (measured), and who gets several
 * answers at once is woken for the first alone.
 *
 * @param encoding of a `body` that is a string.
 */
export function endTogether(
  res: ServerResponse,
  body: string | Buffer = '',
  encoding: BufferEncoding = 'utf8',
): void {
  const count = waiting.push({ res, body, encoding })
  if (count === 1) setImmediate(endWaiting)
  if (count === most) endWaiting()
}

/** Ends now what waits for the end of the turn. */
export function endWaiting(): void {
  const endings = waiting
  waiting = []
  for (const { res, body, encoding } of endings) res.end(body, encoding)
}
