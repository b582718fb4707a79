import type { IncomingMessage } from 'node:http'
import type { Awaitable } from '../../core/index.ts'
import type { Principal } from '../../auth/index.ts'
import { parseIfHeader } from '../conditions/if-header.ts'
import { badRequest, DavError, tooLarge, unsupportedMedia } from '../errors.ts'
import type { DavFields, DavMethod, Depth, Settings } from '../exchange.ts'
import { hasBody } from '../../http/index.ts'
import { readSmallBody } from '../small-body.ts'
import { parseDestination } from './uri.ts'

/** Checks every field that decides something, before a byte of the body is read. */
export function readFields(
  req: IncomingMessage,
  method: DavMethod,
  principal: Principal,
  settings: Settings,
): DavFields {
  checkBody(req, method, settings)
  const { headers } = req
  const ifHeader = one(headers['if'])
  return {
    depth: method.depth ? parseDepth(one(headers['depth'])) : undefined,
    overwrite: method.destination ? parseOverwrite(one(headers['overwrite'])) : true,
    destination: method.destination
      ? parseDestination(one(headers['destination']), principal, settings).path
      : undefined,
    ifLists: ifHeader === undefined ? undefined : parseIfHeader(ifHeader),
  }
}

const one = (field: string | string[] | undefined): string | undefined =>
  Array.isArray(field) ? field.join(', ') : field

function checkBody(req: IncomingMessage, method: DavMethod, settings: Settings): void {
  if (!hasBody(req) || method.body === 'ignored') return
  if (method.body === 'none') {
    if (isChunked(req)) return
    throw unexpectedBody()
  }
  const coding = req.headers['content-encoding']?.trim().toLowerCase()
  if (coding !== undefined && coding !== '' && coding !== 'identity') {
    throw unsupportedMedia('Content codings are not supported.')
  }
  const limit = method.body === 'xml' ? settings.maxXmlBytes : settings.maxUploadBytes
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooLarge()
}

const isChunked = (req: IncomingMessage): boolean => req.headers['transfer-encoding'] !== undefined

/** RFC 4918 §8.4: a body that we do not understand is not ignored. */
const unexpectedBody = (): DavError => unsupportedMedia('This method takes no request body.')

/** A chunked body says only by its first chunk whether it is one (RFC 9112 §7.1). */
export const requireNoContent = (
  req: IncomingMessage,
  method: DavMethod,
  settings: Settings,
): Awaitable<unknown> =>
  method.body === 'none' && isChunked(req)
    ? readSmallBody(req, 0, settings).catch((error: unknown) => {
        throw error instanceof DavError && error.status === 413 ? unexpectedBody() : error
      })
    : undefined

/** RFC 4918 §10.2 */
function parseDepth(text: string | undefined): Depth | undefined {
  const depth = text?.trim().toLowerCase()
  switch (depth) {
    case undefined:
    case '0':
    case '1':
    case 'infinity':
      return depth
    default:
      throw badRequest('The Depth header is neither 0, 1 nor infinity.')
  }
}

/** RFC 4918 §10.6 */
function parseOverwrite(text: string | undefined): boolean {
  switch (text?.trim().toUpperCase()) {
    case undefined:
    case 'T':
      return true
    case 'F':
      return false
    default:
      throw badRequest('The Overwrite header is neither T nor F.')
  }
}
