import { FileError, type Entry } from '../../files/index.ts'
import { checkConditions, expectedState } from '../conditions/evaluate.ts'
import { badRequest, DavError, notAllowed, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { sendContinue } from '../../http/index.ts'
import { receiving, requireTokens } from '../locks/enforce.ts'
import { placeOf } from '../locks/place.ts'
import { sendEmpty } from '../reply.ts'

/** RFC 9110 §9.3.4, RFC 4918 §9.7 */
export const createPut = (allow: string): DavMethod => ({
  needs: ['write'],
  body: 'content',
  run: (exchange) => runPut(exchange, allow),
})

async function runPut(exchange: Exchange, allow: string): Promise<void> {
  const { req, res, tree, place, settings } = exchange
  // RFC 9110 §14.5: a part of a file is not its new content.
  if (req.headers['content-range'] !== undefined) throw badRequest('PUT takes no Content-Range.')
  const entry = await tree.stat(place.path)
  if (entry?.kind === 'directory') throw notAllowed(allow)
  if (!entry) await checkNewPlace(exchange)
  await checkConditions(exchange, entry)
  const affected = [{ path: place.path, membership: !entry }]
  await requireTokens(exchange, affected)
  if (!entry) await settings.resources.forgetProperties(placeOf(exchange, place.path))
  const modifiedAt = modifiedAtOf(exchange)
  const upload = await settings.uploads.begin(tree, place.path.slice(0, -1), expectedSize(exchange))
  sendContinue(req)
  const written = await receiving(
    exchange,
    affected,
    upload.bodyOf(req, settings.uploadPace),
    (body) =>
      tree.write(place.path, body, {
        maxBytes: settings.maxUploadBytes,
        expected: expectedState(exchange, entry),
        modifiedAt,
        size: sizeOf(exchange),
        disposable: true,
      }),
  )
    .catch((error: unknown) => {
      throw isDirectory(error) ? notAllowed(allow) : error
    })
    .finally(() => upload.end())
  const isKept = modifiedAt !== undefined && sameSecond(modifiedAt, written.entry.modifiedAt)
  sendEmpty(res, written.created ? 201 : 204, {
    ETag: written.entry.etag,
    ...(isKept && { 'X-OC-Mtime': 'accepted' }),
  })
}

/** Without a `Content-Length` the content is chunked, and its size nobody's knowledge yet. */
function sizeOf({ req }: Exchange): number | undefined {
  const field = req.headers['content-length']
  return field === undefined ? undefined : Number(field)
}

/** ownCloud's field, in epoch seconds: what lets rclone, `vendor = owncloud`, compare times. */
function modifiedAtOf({ req }: Exchange): number | undefined {
  const field = req.headers['x-oc-mtime']
  if (typeof field !== 'string' || !/^\d{1,11}(\.\d{1,9})?$/.test(field)) return undefined
  return Math.floor(Number(field)) * 1000
}

const sameSecond = (one: number, other: number): boolean =>
  Math.floor(one / 1000) === Math.floor(other / 1000)

/** RFC 4918 §9.7.1: the parent has to exist, and a URL that ends in a slash is a collection's. */
export async function checkNewPlace({ tree, place }: Exchange): Promise<void> {
  if (place.path.length === 0) throw notFound()
  const parent: Entry | undefined = await tree.stat(place.path.slice(0, -1))
  if (parent?.kind !== 'directory') throw new FileError('parent_missing')
  if (place.trailingSlash)
    throw new DavError(409, 'A file cannot be put to the URL of a directory.')
}

/** Finder sends chunks, and says in a field of its own how much will come; nobody checks that one. */
function expectedSize(exchange: Exchange): number {
  const announced = Number(exchange.req.headers['x-expected-entity-length'])
  return sizeOf(exchange) ?? (Number.isSafeInteger(announced) && announced > 0 ? announced : 0)
}

const isDirectory = (error: unknown): boolean =>
  error instanceof FileError && error.code === 'is_a_directory'
