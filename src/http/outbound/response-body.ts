import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { OutboundError } from './errors.ts'

type Response = Pick<Dispatcher.ResponseData, 'headers'> & { readonly body: Readable }

/** We asked for identity: what comes in another coding is not inflated but refused. */
export function refuseCoding({ headers, body }: Response, host: string): void {
  const coding = String(headers['content-encoding'] ?? 'identity')
    .trim()
    .toLowerCase()
  if (coding === 'identity' || coding === '') return
  body.on('error', () => undefined).destroy()
  throw new OutboundError('encoding_refused', host, { detail: { coding: coding.slice(0, 40) } })
}

/** The whole body, counted as it comes; leaving the loop early destroys the socket. */
export async function collect({ body }: Response, maxBytes: number, host: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new OutboundError('too_large', host, { detail: { maxBytes } })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, size)
}
