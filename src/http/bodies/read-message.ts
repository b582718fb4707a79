import type { Request } from 'express'
import { readBody } from './read-body.ts'

/** A request whose signature may be looked at: everything that a signature can cover. */
export interface HttpMessage {
  readonly method: string
  /** `publicUrl` plus the raw request target. */
  readonly targetUri: string
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
}

/** Reads the body, within its limit. @throws AppError 413, 408, 400 as `readBody` does. */
export async function readMessage(
  request: Request,
  publicUrl: string,
  maxBytes: number,
): Promise<HttpMessage> {
  const body = await readBody(request, { maxBytes })
  const { method, originalUrl, rawHeaders } = request
  // RFC 9421 §2.2.2 over our own origin: behind a proxy, Host says nothing we can trust.
  return { method, targetUri: publicUrl + originalUrl, rawHeaders, body }
}
