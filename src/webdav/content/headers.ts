import { extname } from 'node:path'
import { LRUCache } from 'lru-cache'
import { contentType } from 'mime-types'
import type { Entry } from '../../files/index.ts'
import { formatHttpDate } from '../conditions/http-date.ts'
import { encodeSegment } from '../gate/target.ts'

const unknownType = 'application/octet-stream'

interface MediaType {
  readonly text: string
  readonly isActive: boolean
}

const known = new LRUCache<string, MediaType>({
  max: 500,
  memoMethod(extension) {
    const text = (extension.length > 1 && contentType(extension)) || unknownType
    return { text, isActive: active.test(text) }
  },
})

/** The media type by the name's extension; text is UTF-8. */
export const typeOf = (name: string): string => known.memo(extname(name)).text

/** Types in which a browser would run what somebody stored (RFC 4918 §20.8). */
const active =
  /^(text\/(html|xml|xsl|x-component)|image\/svg\+xml|application\/(xml|x-shockwave-flash)|multipart\/related|message\/rfc822|[^;]+\+xml)(;|$)/

/** The fields that describe a file, the same for GET and HEAD. */
export function describeFile(entry: Entry): Record<string, string> {
  const { text, isActive } = known.memo(extname(entry.name))
  const fields: Record<string, string> = {
    'Content-Type': text,
    'Content-Length': String(entry.size),
    ETag: entry.etag,
    'Last-Modified': formatHttpDate(entry.modifiedAt),
    'Accept-Ranges': 'bytes',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
  }
  if (isActive) {
    fields['Content-Disposition'] = `attachment; filename*=UTF-8''${encodeFileName(entry.name)}`
  }
  return fields
}

/** RFC 8187 §3.2.1: fewer characters stay as they are than in a path. */
const encodeFileName = (name: string): string =>
  encodeSegment(name).replace(
    /[()*,;=:@']/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
