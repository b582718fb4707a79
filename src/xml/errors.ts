import { AppError, type ErrorKind } from '../core/index.ts'

const failures = {
  malformed: ['invalid', 'This is not well-formed XML.'],
  excessive: ['invalid', 'This is more complex than any WebDAV message.'],
  too_long: ['too_large', 'This is longer than it may be.'],
  unexpected: ['invalid', 'This is another document than was expected.'],
  not_utf8: ['invalid', 'This is not UTF-8.'],
  charset: ['unsupported_media', 'Only UTF-8 is accepted.'],
  // RFC 4918 §16, §20.6: nothing outside of the message is ever read because of it.
  document_type: ['forbidden', 'Document types are not accepted.'],
} as const satisfies Record<string, readonly [ErrorKind, string]>

export type XmlErrorCode = keyof typeof failures

/** XML that is not read any further. */
export class XmlError extends AppError<XmlErrorCode> {
  constructor(code: XmlErrorCode) {
    const [kind, message] = failures[code]
    super(kind, code, message)
  }
}
