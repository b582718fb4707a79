import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseTokenRequest } from '../../../src/tokens/wire.ts'
import { decodeToken } from '../../../src/tokens/inspect.ts'
import { readFixture } from '../../support/fixtures.ts'

const form = 'application/x-www-form-urlencoded'
const failing = (code: string) => expect.objectContaining({ code })

describe('a token request', () => {
  it.each([
    ['the host', 'peer.example.org', 'peer.example.org'],
    ['another case', 'PEER.Example.org', 'peer.example.org'],
    ['the default port', 'peer.example.org:443', 'peer.example.org'],
    ['a port', 'peer.example.org:80', 'peer.example.org:80'],
    ['an origin', 'https://peer.example.org/', 'peer.example.org'],
  ])('may name its client by %s (peers.md T8)', (_name, client, host) => {
    const fields = { grant_type: 'authorization_code', client_id: client, code: 's' }
    const body = Buffer.from(new URLSearchParams(fields).toString())
    expect(parseTokenRequest(form, body)).toEqual({ refreshToken: 's', clientId: host })
    const json = Buffer.from(JSON.stringify(fields))
    expect(parseTokenRequest('application/json', json).clientId).toBe(host)
  })

  it('never fails but with a code of RFC 6749 §5.2, and never repeats what it was given', () => {
    const types = fc.constantFrom(undefined, form, 'application/json', 'text/plain', 'x')
    const canary = 'c4naryC4naryC4nary'
    const bodies = fc.oneof(fc.string(), fc.json(), fc.webQueryParameters())
    fc.assert(
      fc.property(types, bodies, (type, body) => {
        try {
          parseTokenRequest(type, Buffer.from(`${body}${canary}`))
        } catch (error) {
          const { code, message } = error as { code: string; message: string }
          expect(['invalid_request', 'unsupported_grant_type']).toContain(code)
          // Names may be shown, cut short; values never.
          expect(message.replace(/"[^"]*"/g, '')).not.toContain(canary)
        }
      }),
    )
  })

  it('never names a value that was badly encoded', () => {
    const body = Buffer.from('code=c4naryC4nary%zz')
    expect(() => parseTokenRequest(form, body)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('c4nary') }),
    )
  })
})

describe('taking a token apart', () => {
  it('shows header and claims of any JWT, Nextcloud’s too', () => {
    const fixture = readFixture('token/nextcloud-access-token-decoded') as Record<string, unknown>
    const { header, claims } = fixture
    expect(decodeToken(String(fixture['compact']))).toEqual({ header, claims })
  })

  it.each(['', 'a', 'a.b', 'a.b.c', '..', 'e30.e30'])('refuses %j', (text) => {
    expect(() => decodeToken(text)).toThrow(failing('invalid_request'))
  })
})
