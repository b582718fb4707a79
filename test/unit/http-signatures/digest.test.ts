import { describe, expect, it } from '@jest/globals'
import { createHash } from 'node:crypto'
import {
  contentDigest,
  isDigestProblem,
  verifyContentDigest,
} from '../../../src/http-signatures/index.ts'

const body = Buffer.from('{"hello": "world"}\n')
const digest = (hash: string, data: Uint8Array = body) =>
  `:${createHash(hash).update(data).digest('base64')}:`
const good256 = `sha-256=${digest('sha256')}`
const good512 = `sha-512=${digest('sha512')}`
const judge = (header: string, data: Uint8Array = body) => {
  const verdict = verifyContentDigest(header, data)
  return verdict.ok ? 'ok' : verdict.reason
}

describe('content digest', () => {
  it('is the sha-256 of the body (RFC 9530 appendix D)', () => {
    expect(contentDigest(body)).toBe('sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:')
  })

  it('exists for an empty body too (S35)', () => {
    const empty = new Uint8Array()
    expect(contentDigest(empty)).toBe('sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:')
    expect(judge(contentDigest(empty), empty)).toBe('ok')
  })

  it.each([
    ['sha-256 alone', good256],
    ['sha-512 alone', good512],
    ['both', `${good256}, ${good512}`],
    ['an unknown algorithm beside a known one', `sha-999=:AAAA:, ${good256}`],
    ['a deprecated algorithm beside a known one, wrong or not', `md5=:AAAA:, ${good512}`],
    ['no space after the comma', `${good512},${good256}`],
  ])('vouches for the body with %s', (_name, header) => {
    expect(judge(header)).toBe('ok')
  })

  it.each([
    [
      'one of two wrong',
      `${good256}, sha-512=${digest('sha512', Buffer.from('other'))}`,
      'mismatch',
    ],
    ['the other of two wrong', `sha-256=:AAAA:, ${good512}`, 'mismatch'],
    ['a truncated digest', 'sha-256=:RK/0qy18MlBSVnWgjwz6lQ==:', 'mismatch'],
    ['nothing but md5', `md5=${digest('md5')}`, 'unsupported'],
    ['nothing but sha', `sha=${digest('sha1')}`, 'unsupported'],
    [
      'nothing but deprecated checksums',
      'adler=:AAAA:, crc32c=:AAAA:, unixsum=:AAA=:',
      'unsupported',
    ],
    ['nothing known', 'sha-999=:AAAA:', 'unsupported'],
    ['an empty field', '', 'unsupported'],
    ['the same algorithm twice', `${good256}, ${good256}`, 'duplicate'],
    ['a wrong digest hidden before a right one', `sha-256=:AAAA:, ${good256}`, 'duplicate'],
    [
      'a string instead of bytes',
      'sha-256="RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg="',
      'malformed',
    ],
    ['an inner list', `sha-256=(${digest('sha256')})`, 'malformed'],
    [
      'the Digest spelling of RFC 3230',
      'SHA-256=RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=',
      'malformed',
    ],
    ['a trailing comma', `${good256},`, 'malformed'],
    ['more than 8 KiB', `${good256}, x="${'a'.repeat(9000)}"`, 'malformed'],
  ])('is refused with %s', (_name, header, problem) => {
    expect(judge(header)).toBe(`digest_${problem}`)
  })

  it('has problems that can be told from others, for they answer 400', () => {
    expect(isDigestProblem('digest_mismatch')).toBe(true)
    expect(isDigestProblem('created_stale')).toBe(false)
  })
})
