import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import { AppError, type ErrorKind } from '../../../src/core/index.ts'
import {
  asAppError,
  fieldIssues,
  statusOf,
  ValidationError,
  writeOAuthError,
  writeOcmError,
  type ErrorWriter,
} from '../../../src/http/index.ts'

/** What a writer sends, without a socket. */
function written(write: ErrorWriter, error: unknown) {
  const req = new IncomingMessage(new Socket())
  const res = new ServerResponse(req)
  let text = ''
  res.end = ((chunk: string) => {
    text += chunk
    return res
  }) as typeof res.end
  write(res, error)
  return { status: res.statusCode, headers: res.getHeaders(), body: JSON.parse(text) as unknown }
}

const statuses: readonly (readonly [ErrorKind, number])[] = [
  ['invalid', 400],
  ['unauthenticated', 401],
  ['forbidden', 403],
  ['not_found', 404],
  ['timeout', 408],
  ['conflict', 409],
  ['too_large', 413],
  ['unsupported_media', 415],
  ['too_many', 429],
  ['internal', 500],
  ['unsupported', 501],
  ['upstream', 502],
  ['unavailable', 503],
  ['no_space', 507],
]

describe('error dialects', () => {
  it.each(statuses)('%s is %i in the table and in both dialects', (kind, status) => {
    const error = new AppError(kind, 'x', 'text')
    expect(statusOf(kind)).toBe(status)
    expect(written(writeOcmError, error).status).toBe(status)
    expect(written(writeOAuthError, error).status).toBe(status)
  })

  it('writes the OCM dialect with the fields that are wrong', () => {
    const issues = fieldIssues([{ path: ['protocol', 'webdav', 0], message: 'is missing' }])
    expect(written(writeOcmError, new ValidationError('Bad share', issues)).body).toEqual({
      message: 'Bad share',
      validationErrors: [{ name: 'protocol.webdav.0', message: 'is missing' }],
    })
    expect(written(writeOcmError, new AppError('not_found', 'no_share', 'No share')).body).toEqual({
      message: 'No share',
    })
  })

  it.each<[ErrorKind, string, string]>([
    ['invalid', 'invalid_grant', 'invalid_grant'],
    ['invalid', 'unsupported_grant_type', 'unsupported_grant_type'],
    ['unauthenticated', 'invalid_client', 'invalid_client'],
    ['unauthenticated', 'signature_refused', 'invalid_client'],
    ['forbidden', 'not_yours', 'unauthorized_client'],
    ['invalid', 'invalid_json', 'invalid_request'],
    ['too_large', 'body_too_large', 'invalid_request'],
    ['too_many', 'budget', 'temporarily_unavailable'],
    ['unavailable', 'busy', 'temporarily_unavailable'],
    ['upstream', 'dns_failed', 'temporarily_unavailable'],
    ['internal', 'unsealable', 'server_error'],
  ])('writes %s %s as OAuth %s, never cached (RFC 6749 §5.2)', (kind, code, expected) => {
    const { body, headers } = written(writeOAuthError, new AppError(kind, code, 'text'))
    expect(body).toHaveProperty('error', expected)
    expect(headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
  })

  it('keeps error_description inside its alphabet', () => {
    const { body } = written(writeOAuthError, new AppError('invalid', 'x', 'a "b" \\ é\r\n'))
    expect(body).toHaveProperty('error_description', "a 'b' ' ???")
  })

  it.each([
    ['a TypeError', new TypeError('canary at /srv/data/x.ts')],
    ['a string', 'canary'],
    ['undefined', undefined],
    ['an internal AppError', new AppError('internal', 'x', 'canary')],
    ['a status of 500', Object.assign(new Error('canary'), { status: 500 })],
    [
      'a code without a closed connection',
      Object.assign(new Error('canary'), { code: 'ECONNRESET' }),
    ],
  ])('says a constant for %s', (_name, error) => {
    expect(written(writeOcmError, error)).toMatchObject({
      status: 500,
      body: { message: 'Internal error' },
    })
    expect(written(writeOAuthError, error).body).toEqual({
      error: 'server_error',
      error_description: 'Internal error',
    })
  })

  it.each([
    [400, 'request.aborted', 400],
    [400, 'encoding.invalid', 400],
    [413, 'entity.too.large', 413],
    [415, 'encoding.unsupported', 415],
    [404, 'x', 400],
  ])('takes status %i of Express and its parsers, not their text', (status, type, expected) => {
    const error = Object.assign(new Error('canary'), { status, type })
    expect(statusOf(asAppError(error).kind)).toBe(expected)
    expect(asAppError(error).message).not.toContain('canary')
  })

  it('says when a retry makes sense', () => {
    const error = new AppError('too_many', 'x', 'y', { retryAfterSeconds: 1.2 })
    expect(written(writeOcmError, error).headers).toMatchObject({ 'retry-after': 2 })
    const negative = new AppError('too_many', 'x', 'y', { retryAfterSeconds: -5 })
    expect(written(writeOcmError, negative).headers).toMatchObject({ 'retry-after': 1 })
  })

  it('keeps cause and detail from the wire', () => {
    const error = new AppError('invalid', 'x', 'y', {
      cause: new Error('canary'),
      detail: { a: 'canary' },
    })
    expect(JSON.stringify(written(writeOcmError, error))).not.toContain('canary')
  })
})
