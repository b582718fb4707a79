import { describe, expect, it } from '@jest/globals'
import { normaliseRemoteUserId, readAcceptance, readIdentity } from '../../../src/invites/wire.ts'
import { readFixture } from '../../support/fixtures.ts'

interface Exchanges {
  readonly accept: { request: Record<string, string>; ok: { body: unknown } }
  readonly missingEmailOcmgo: { request: Record<string, string> }
  readonly oldRevaBody: { request: { invite: Record<string, string> } }
}

interface Vectors {
  readonly normaliseRemoteUserId: { userID: string; provider: string; out: string }[]
}

const { accept, missingEmailOcmgo, oldRevaBody } = readFixture('invites/exchanges') as Exchanges
const vectors = readFixture('vectors/addresses') as Vectors

const read = (body: unknown, type = 'application/json') =>
  readAcceptance(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), type)

const marie = {
  recipientProvider: 'ours.example.org',
  token: 'xyz',
  userID: 'marie',
  email: 'marie@ours.example.org',
  name: 'Marie Curie',
}

describe('the body of invite-accepted (peers.md §7.1)', () => {
  it('is read as JSON, as a form and as old reva sends it', () => {
    expect(read(accept.request)).toEqual(marie)
    expect(read({ ...accept.request, extra: [1] })).toEqual(marie)
    const form = new URLSearchParams(accept.request).toString()
    expect(read(form, 'application/x-www-form-urlencoded')).toEqual(marie)
    expect(read(oldRevaBody.request)).toEqual(marie)
  })

  it('may do without an email and a name', () => {
    expect(read(missingEmailOcmgo.request)).toEqual({ ...marie, email: '' })
    const { email, name, ...bare } = marie
    expect(read(bare)).toEqual({ ...bare, email: '', name: 'marie' })
    expect(read({ ...bare, email: null, name: 7 })).toMatchObject({ email: '', name: 'marie' })
  })

  it('has no name that turns text around', () => {
    const { name } = read({ ...marie, name: 'Ma\u202erie\u0000\n\u2066 Curie' })
    expect(name).toBe('Marie Curie')
  })

  it.each(['recipientProvider', 'token', 'userID'])('needs %s, and names it', (member) => {
    for (const value of [undefined, '', 7, null, ['x'], 'x'.repeat(1025)]) {
      expect(() => read({ ...marie, [member]: value })).toThrow(
        expect.objectContaining({
          kind: 'invalid',
          issues: [expect.objectContaining({ name: member })],
        }),
      )
    }
  })

  it.each(['[]', 'null', '7', '"x"', '{"invite":[]}', '{"invite":7}'])('is not %s', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ kind: 'invalid' }))
  })

  it.each(['', 'text/plain', 'application/xml', 'application/json; charset=utf-16'])(
    'is not of type %j',
    (type) => {
      expect(() => read(accept.request, type)).toThrow(
        expect.objectContaining({ kind: 'unsupported_media' }),
      )
    },
  )
})

describe('an identity in an answer', () => {
  it('needs a user id', () => {
    expect(readIdentity(accept.ok.body)).toEqual(accept.ok.body)
    for (const body of [undefined, null, [], {}, { userID: '' }, { userID: 7 }, 'einstein']) {
      expect(readIdentity(body)).toBeUndefined()
    }
  })
})

describe('a user id of another server', () => {
  it.each(vectors.normaliseRemoteUserId)('$userID of $provider is $out', (vector) => {
    const { userID, provider, out } = vector
    expect(normaliseRemoteUserId(userID, provider.replace('https://', ''))).toBe(out)
  })
})
