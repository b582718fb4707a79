import { Readable } from 'node:stream'
import {
  checkPath,
  FileError,
  type Entry,
  type Expected,
  type FileErrorCode,
  type TreePath,
  type WriteOptions,
  type Written,
} from '../../files/index.ts'
import { discard, garbled, refusal, type Answer } from './answers.ts'
import type { Remote } from './context.ts'
import { isPeersTag, toEntry } from './facts.ts'
import { look } from './look.ts'

/** What a status means when content was to be put there. */
const meanings: Readonly<Record<number, FileErrorCode>> = {
  404: 'parent_missing',
  405: 'is_a_directory',
}

/** A streamed PUT (RFC 9110 §9.3.4): as fast as the peer takes it, and cut off where the body ends early. */
export async function writeRemote(
  remote: Remote,
  path: TreePath,
  body: AsyncIterable<Uint8Array>,
  options: WriteOptions = {},
): Promise<Written> {
  checkPath(path)
  await checkDerived(remote, path, options.expected)
  const counter = { size: 0, failure: undefined as unknown }
  remote.changed()
  const sent = Readable.from(count(body, options.maxBytes, counter), { objectMode: false })
  let answer: Answer
  try {
    answer = await remote.call({
      method: 'PUT',
      path,
      headers: headersFor(options),
      body: sent,
      disposable: options.disposable ?? false,
    })
  } catch (error) {
    throw counter.failure ?? error
  } finally {
    sent.destroy()
    remote.changed()
  }
  if (answer.status < 200 || answer.status > 299) throw refusal(answer, meanings)
  discard(answer)
  // RFC 9110 §9.3.4: a success is that of the whole content.
  if (!sent.readableEnded) throw garbled(new Error('the success came before the content'))
  return {
    entry: await entryAfter(remote, path, answer, counter.size, options),
    created: answer.status === 201,
  }
}

function headersFor({ size, modifiedAt, expected }: WriteOptions): Record<string, string> {
  const headers: Record<string, string> = {}
  if (size !== undefined) headers['content-length'] = String(size)
  if (modifiedAt !== undefined) headers['x-oc-mtime'] = String(Math.floor(modifiedAt / 1000))
  // RFC 9110 §13.1.1, §13.1.2
  if (expected === 'absent') headers['if-none-match'] = '*'
  else if (expected && isPeersTag(expected.etag)) headers['if-match'] = expected.etag
  return headers
}

/** A tag of ours says nothing to the peer; then looking just before is all there is. */
async function checkDerived(
  remote: Remote,
  path: TreePath,
  expected: Expected | undefined,
): Promise<void> {
  if (expected === undefined || expected === 'absent' || isPeersTag(expected.etag)) return
  const entry = await look(remote, path)
  if (entry?.etag !== expected.etag) throw new FileError('changed')
}

/**
 * Remembers why a body ended early, since the connection only knows that it did. The last part waits
 * for the end of the body: what fails there, a lock for one, leaves a request that is visibly short.
 */
async function* count(
  body: AsyncIterable<Uint8Array>,
  maxBytes = Infinity,
  counter: { size: number; failure: unknown },
): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined
  try {
    for await (const chunk of body) {
      counter.size += chunk.length
      if (counter.size > maxBytes) throw new FileError('too_large')
      // An empty chunk would end a chunked body.
      if (chunk.length === 0) continue
      if (last) yield last
      last = chunk
    }
    if (last) yield last
  } catch (error) {
    counter.failure = error
    throw error
  }
}

/** What is there now; where that cannot be seen or is somebody else's, what is known of it. */
async function entryAfter(
  remote: Remote,
  path: TreePath,
  { headers }: Answer,
  size: number,
  { modifiedAt }: WriteOptions,
): Promise<Entry> {
  const found = await look(remote, path).catch(() => undefined)
  const { etag } = headers
  const isOurs = etag?.startsWith('"') ? found?.etag === etag : found?.size === size
  if (found && isOurs) return found
  const isKept = headers['x-oc-mtime'] === 'accepted' && modifiedAt !== undefined
  return toEntry(remote.nameOf(path), {
    isDirectory: false,
    size: String(size),
    modified: isKept ? new Date(modifiedAt).toUTCString() : headers['date'],
    etag,
  })
}
