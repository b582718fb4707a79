import { Readable } from 'node:stream'
import {
  FileError,
  type ByteRange,
  type Entry,
  type OpenFile,
  type ReadHint,
  type TreePath,
} from '../../files/index.ts'
import { bodyFailure, discard, failureOf, garbled, refusal, type Answer } from './answers.ts'
import type { Remote } from './context.ts'
import { isPeersTag, toEntry, type RemoteEntry } from './facts.ts'
import { isPlace, look } from './look.ts'

/** What an answer to GET carries; sizes are unknown while nobody says them. */
interface Content {
  readonly answer: Answer
  readonly start: number
  readonly length: number | undefined
  /** The size of the whole file. */
  readonly size: number | undefined
}

/** RFC 9110 §14.1.2: one range; several are fetched one by one. */
const oneRange = /^\s*bytes\s*=\s*(\d{1,15}-\d{0,15}|-\d{1,15})\s*$/i

/** A file at its sender: usually one request, which is on its way before anybody reads. */
export async function openRemote(
  remote: Remote,
  path: TreePath,
  { range, isConditional = false }: ReadHint = {},
): Promise<OpenFile> {
  if (!isPlace(path)) throw new FileError('not_found')
  const isPart = range !== undefined && oneRange.test(range)
  if (isConditional || (range !== undefined && !isPart)) {
    const found = await lookForFile(remote, path)
    // Perhaps the answer says what its properties do not.
    if (!found.isUnsized) return openFile(remote, path, found, undefined)
  }
  const answer = await get(remote, path, isPart ? { range: range.trim() } : {})
  const content = contentOf(answer)
  const entry = content && entryOf(remote.nameOf(path), content)
  if (entry) {
    remote.seen(path, entry)
    return openFile(remote, path, entry, content)
  }
  return openBesides(remote, path, answer, content)
}

/** The answer alone does not say what it is of: a directory, an error, a file of unknown size. */
async function openBesides(
  remote: Remote,
  path: TreePath,
  answer: Answer,
  content: Content | undefined,
): Promise<OpenFile> {
  try {
    const { status, headers } = answer
    if (status === 404 || status === 410) throw new FileError('not_found')
    if (status === 429 || (status >= 500 && status !== 501)) throw failureOf(status, headers)
    const entry = await lookForFile(remote, path)
    // RFC 9110 §15.5.17: nothing is wrong with the file.
    if (!content && status !== 416) throw failureOf(status, headers)
    const isOther = !entry.isUnsized && content?.size !== undefined && content.size !== entry.size
    const { etag } = headers
    if (isOther || (etag?.startsWith('"') && isPeersTag(entry.etag) && etag !== entry.etag)) {
      throw garbled(new Error('the content is not of what was found there'))
    }
    const size = entry.isUnsized ? content?.size : entry.size
    if (size === undefined) throw garbled(new Error('nobody says how large the file is'))
    if (content) return openFile(remote, path, { ...entry, size }, { ...content, size })
    discard(answer)
    return openFile(remote, path, entry, undefined)
  } catch (error) {
    discard(answer)
    throw error
  }
}

async function lookForFile(remote: Remote, path: TreePath): Promise<RemoteEntry> {
  const entry = await look(remote, path)
  if (!entry) throw new FileError('not_found')
  if (entry.kind === 'directory') throw new FileError('is_a_directory')
  return entry
}

const get = (remote: Remote, path: TreePath, headers: Record<string, string>): Promise<Answer> =>
  remote.call({ method: 'GET', path, headers })

/** Listings of directories are HTML, and nobody has a validator for them. */
function entryOf(name: string, { answer: { headers }, size }: Content): Entry | undefined {
  const { etag, 'content-type': type = '', 'last-modified': modified } = headers
  if (size === undefined || etag === undefined || /^(text\/html|httpd\/)/i.test(type)) {
    return undefined
  }
  return toEntry(name, { isDirectory: false, size: String(size), modified, etag })
}

/** RFC 9110 §8.6, §14.4, §15.3.7 */
function contentOf(answer: Answer): Content | undefined {
  const { status, headers } = answer
  const field = headers['content-length']
  const length = field !== undefined && /^\d{1,15}$/.test(field) ? Number(field) : undefined
  if (status === 200) return { answer, start: 0, length, size: length }
  if (status !== 206) return undefined
  const [, first, last, total] =
    /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(headers['content-range'] ?? '') ?? []
  if (first === undefined || last === undefined || total === undefined) return undefined
  const start = Number(first)
  const size = total === '*' ? undefined : Number(total)
  const promised = Number(last) - start + 1
  const isPossible = promised > 0 && (size === undefined || Number(last) < size)
  if (!isPossible || (length !== undefined && length !== promised)) return undefined
  return { answer, start, length: promised, size }
}

function openFile(
  remote: Remote,
  path: TreePath,
  entry: Entry,
  first: Content | undefined,
): OpenFile {
  let unused = first
  const whole: ByteRange = { start: 0, end: entry.size - 1 }

  async function open(range: ByteRange): Promise<Content> {
    const ready = unused
    if (ready && covers(ready, range, entry)) {
      unused = undefined
      return ready
    }
    const answer = await get(remote, path, {
      ...(range.start > 0 || range.end < whole.end
        ? { range: `bytes=${range.start}-${range.end}` }
        : {}),
      ...(isPeersTag(entry.etag) ? { 'if-match': entry.etag } : {}),
    })
    const content = contentOf(answer)
    if (!content) throw refusal(answer)
    if (isOtherVersion(content, entry)) {
      discard(answer)
      throw new FileError('changed')
    }
    if (covers(content, range, entry)) return content
    discard(answer)
    throw garbled(new Error('another part came than was asked for'))
  }

  async function pour(take: (part: Uint8Array) => Promise<void>, range: ByteRange): Promise<void> {
    const content = await open(range)
    const { pour, body } = content.answer
    const isExact = content.start === range.start && content.length === lengthOf(range)
    try {
      if (pour && isExact) await pour(take)
      else
        for await (const part of cut(() => Promise.resolve(content), range, entry)) await take(part)
    } catch (error) {
      throw bodyFailure(error)
    } finally {
      body.destroy()
    }
  }

  return {
    entry,
    disposable: true,
    bytes: async () =>
      entry.size === 0 && !unused
        ? Buffer.alloc(0)
        : Buffer.concat(await Readable.from(cut(open, whole, entry)).toArray()),
    stream: (range = whole) =>
      Readable.from(range.end < range.start && !unused ? [] : cut(open, range, entry), {
        objectMode: false,
      }),
    ...(first?.answer.pour && { pour }),
    async prepare(range) {
      const content = await open(range)
      if (unused) discard(unused.answer)
      unused = content
    },
    close() {
      if (unused) discard(unused.answer)
      unused = undefined
      return Promise.resolve()
    },
  }
}

const lengthOf = ({ start, end }: ByteRange): number => end - start + 1

const covers = ({ start, length }: Content, range: ByteRange, { size }: Entry): boolean =>
  start <= range.start && start + (length ?? size - start) > range.end

/** RFC 9110 §8.8.3.2: proxies on the way weaken tags. */
const opaque = (etag: string): string => etag.replace(/^W\//, '')

/** A peer that knows no `If-Match` sends what it has. */
function isOtherVersion({ answer: { headers }, size }: Content, entry: Entry): boolean {
  if (size !== undefined && size !== entry.size) return true
  const { etag } = headers
  return etag !== undefined && isPeersTag(entry.etag) && opaque(etag) !== entry.etag
}

/** The bytes of a range and no other, or a failure. */
async function* cut(
  open: (range: ByteRange) => Promise<Content>,
  range: ByteRange,
  { size }: Entry,
): AsyncGenerator<Uint8Array> {
  const { answer, start, length } = await open(range)
  // RFC 9112 §6.3: then only its end tells that it was all.
  const isUncounted = length === undefined && range.end === size - 1
  let position = start
  try {
    for await (const chunk of answer.body as AsyncIterable<Uint8Array>) {
      if (isUncounted && position + chunk.length > size) {
        throw garbled(new Error('the file is larger than its sender says'))
      }
      const part = chunk.subarray(Math.max(0, range.start - position), range.end + 1 - position)
      position += chunk.length
      if (part.length > 0) yield part
      if (position > range.end && !isUncounted) break
    }
  } catch (error) {
    throw bodyFailure(error)
  }
  if (position <= range.end) throw garbled(new Error('the content ended early'))
}
