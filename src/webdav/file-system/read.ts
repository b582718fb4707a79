import { Readable } from 'node:stream'
import { FileError, type ByteRange, type OpenFile, type TreePath } from '../../files/index.ts'
import { toTreeError } from './errors.ts'
import { look, type Source } from './look.ts'

/**
 * A file of a file system that knows neither ranges nor versions: what comes before a range is read
 * over, and a stream after the first is refused when the file has changed since.
 */
export async function openFile(
  source: Source,
  inTurn: <Result>(work: () => Promise<Result>) => Promise<Result>,
  path: TreePath,
): Promise<OpenFile> {
  // While nothing is being put in its place: the entry is of what the stream has.
  const opened = await inTurn(async () => {
    const entry = await look(source, path)
    if (!entry) throw new FileError('not_found')
    if (entry.kind === 'directory') throw new FileError('is_a_directory')
    return { entry, content: await source.calls.openRead(path) }
  })
  const { entry } = opened
  let first: Readable | undefined = opened.content
  const whole: ByteRange = { start: 0, end: entry.size - 1 }

  async function open(): Promise<Readable> {
    const unused = first
    first = undefined
    if (unused) return unused
    return inTurn(async () => {
      if ((await look(source, path))?.etag !== entry.etag) throw new FileError('changed')
      return source.calls.openRead(path)
    })
  }

  return {
    entry,
    bytes: async () => Buffer.concat(await Readable.from(cut(open, whole)).toArray()),
    stream: (range = whole) => Readable.from(cut(open, range), { objectMode: false }),
    close() {
      first?.destroy()
      return Promise.resolve()
    },
  }
}

/** The bytes of a range and no other, or a failure. */
async function* cut(
  open: () => Promise<Readable>,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array> {
  const content = await open()
  let position = 0
  try {
    for await (const chunk of content as AsyncIterable<Uint8Array | string>) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      const part = bytes.subarray(Math.max(0, start - position), end + 1 - position)
      position += bytes.length
      if (part.length > 0) yield part
      if (position > end) return
    }
  } catch (error) {
    throw toTreeError(error)
  } finally {
    content.destroy()
  }
  if (position <= end) throw new Error('the file became shorter while it was read')
}
