import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { andThen, newId, type Awaitable } from '../../core/index.ts'
import type { ByteRange, OpenFile } from '../../files/index.ts'
import { endTogether } from '../../http/index.ts'
import { sendContent } from './send-content.ts'

/** Below this one read and one write beat any stream. */
const smallFileBytes = 64 * 1024

type Fields = Record<string, string>

export function sendWhole(res: ServerResponse, file: OpenFile, fields: Fields): Awaitable<void> {
  const { size } = file.entry
  if (size > smallFileBytes) {
    const whole = { start: 0, end: size - 1 }
    return andThen(file.prepare?.(whole), () => {
      res.writeHead(200, fields)
      return sendContent(res, file, whole)
    })
  }
  // As text it leaves together with the head; byte for byte, latin1 is what it was.
  const text = file.text ?? andThen(file.bytes(), (content) => content.toString('latin1'))
  return andThen(text, (content) => {
    res.writeHead(200, fields)
    endTogether(res, content, 'latin1')
  })
}

/** RFC 9110 §15.3.7.1 */
export async function sendPart(
  res: ServerResponse,
  file: OpenFile,
  fields: Fields,
  range: ByteRange,
): Promise<void> {
  if (file.prepare) await file.prepare(range)
  res.writeHead(206, {
    ...fields,
    'Content-Range': contentRange(range, file.entry.size),
    'Content-Length': range.end - range.start + 1,
  })
  await sendContent(res, file, range)
}

/** RFC 9110 §15.3.7.2, §14.6 */
export async function sendParts(
  res: ServerResponse,
  file: OpenFile,
  fields: Fields,
  ranges: readonly ByteRange[],
): Promise<void> {
  const boundary = `davmesh-${newId()}`
  const type = fields['Content-Type'] ?? ''
  const heads = ranges.map((range) =>
    Buffer.from(
      `\r\n--${boundary}\r\nContent-Type: ${type}\r\n` +
        `Content-Range: ${contentRange(range, file.entry.size)}\r\n\r\n`,
    ),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const content = ranges.reduce((sum, { start, end }) => sum + end - start + 1, tail.length)
  const [first] = ranges
  if (first && file.prepare) await file.prepare(first)
  res.writeHead(206, {
    ...fields,
    'Content-Type': `multipart/byteranges; boundary=${boundary}`,
    'Content-Length': heads.reduce((sum, head) => sum + head.length, content),
  })
  async function* parts(): AsyncGenerator<Uint8Array> {
    for (const [index, range] of ranges.entries()) {
      yield heads[index] ?? Buffer.alloc(0)
      yield* file.stream(range) as AsyncIterable<Uint8Array>
    }
    yield tail
  }
  await pipeline(parts, res)
}

const contentRange = ({ start, end }: ByteRange, size: number): string =>
  `bytes ${start}-${end}/${size}`
