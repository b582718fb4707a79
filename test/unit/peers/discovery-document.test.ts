import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseDiscovery } from '../../../src/peers/discovery-document.ts'
import { listFixtures, readFixture } from '../../support/fixtures.ts'

/** The host a fixture is the document of. */
function hostOf(document: unknown): string {
  const [, host = ''] = /"endPoint":"https?:\/\/([^/"]+)/.exec(JSON.stringify(document)) ?? []
  return host
}

const read = (
  document: unknown,
  host = 'peer.example.org',
  url = `https://${host}/.well-known/ocm`,
) => parseDiscovery(document, host, new URL(url))

const plain = {
  enabled: true,
  apiVersion: '1.4.0',
  endPoint: 'https://peer.example.org/ocm',
  resourceTypes: [{ name: 'file', shareTypes: ['user'], protocols: { webdav: '/dav/' } }],
}
const exchange = { capabilities: ['exchange-token'] }
const unusable = (said: RegExp) =>
  expect.objectContaining({ code: 'peer_unusable', message: expect.stringMatching(said) })

describe('the discovery documents of real peers', () => {
  it.each(listFixtures('discovery'))('%s can be used', (name) => {
    const document = readFixture(name) as Record<string, unknown>
    const host = hostOf(document)
    const scheme = String(document['endPoint']).split(':')[0] ?? ''
    const discovery = read(document, host, `${scheme}://${host}/.well-known/ocm`)
    expect(discovery.endPoint).toBe(document['endPoint'])
    expect(discovery.capabilities.includes('exchange-token')).toBe('tokenEndPoint' in document)
    expect(discovery.resourceTypes.map((type) => type.name)).toContain('file')
  })

  it.each(listFixtures('discovery/negative'))('%s is refused (D4, D5, D7)', (name) => {
    expect(() => read(readFixture(name), 'bad.example.org')).toThrow(unusable(/bad\.example\.org/))
  })
})

describe('reading discovery', () => {
  it('takes every spelling there ever was (peers.md §1.7)', () => {
    const document = {
      ...plain,
      endPoint: undefined,
      endpoint: 'https://peer.example.org/ocm/',
      tokenEndpoint: '/ocm/token',
      capabilities: ['/Token-Exchange', 'INVITE-ACCEPTED', 'webdav-uri', 'mfa-enforced', 7, null],
      criteria: ['http-request-signatures', 'invite'],
    }
    expect(read(document)).toMatchObject({
      endPoint: 'https://peer.example.org/ocm',
      tokenEndPoint: 'https://peer.example.org/ocm/token',
      capabilities: ['exchange-token', 'invites', 'protocol-object', 'enforce-mfa'],
      criteria: ['must-use-http-sig', 'must-invite'],
    })
  })

  it('takes publicKey as an object, a bare PEM, or nothing', () => {
    for (const publicKey of [{ keyId: 'k', publicKeyPem: 'PEM' }, 'PEM', null, 7]) {
      expect(() => read({ ...plain, publicKey })).not.toThrow()
    }
  })

  it.each([
    ['well-known', 'https://peer.example.org/.well-known/jwks.json'],
    ['a query', 'https://peer.example.org/jwks?x=1'],
    ['the default port', 'https://peer.example.org:443/jwks'],
    ['upper case', 'https://PEER.example.org/jwks'],
  ])('accepts a jwksUri with %s (D7)', (_name, jwksUri) => {
    expect(read({ ...plain, jwksUri }).jwksUri).toBe(new URL(jwksUri).href)
  })

  it.each(['/accept-invite', 'accept-invite?x=1', 'https://peer.example.org:443/wayf', ''])(
    'takes the dialog for invites at %j (D8)',
    (inviteAcceptDialog) => {
      expect(() => read({ ...plain, inviteAcceptDialog })).not.toThrow()
    },
  )

  it.each([
    [
      'a dialog of another server (D8)',
      { inviteAcceptDialog: 'https://evil.example/x' },
      /another/,
    ],
    ['a dialog behind //', { inviteAcceptDialog: '//evil.example/x' }, /another server/],
    ['a dialog of another port', { inviteAcceptDialog: 'https://peer.example.org:1/' }, /another/],
    ['a dialog that is a script', { inviteAcceptDialog: 'javascript:alert(1)' }, /https/],
    ['a dialog over http', { inviteAcceptDialog: 'http://peer.example.org/x' }, /https/],
    [
      'a token endpoint of another server',
      { ...exchange, tokenEndPoint: '//evil.example/x' },
      /another/,
    ],
    ['an empty fragment', { jwksUri: 'https://peer.example.org/jwks#' }, /fragment/],
    ['a path of another scheme', { jwksUri: 'file:///etc/passwd' }, /absolute/],
    ['javascript', { endPoint: 'javascript:alert(1)' }, /absolute/],
    ['credentials', { endPoint: 'https://u@peer.example.org/ocm' }, /credentials/],
    ['another host', { endPoint: 'https://peer.example.org.evil/ocm' }, /another server/],
    ['no endPoint', { endPoint: undefined }, /endPoint is missing/],
    ['federation off', { enabled: false }, /not enabled/],
    ['a list of types that is none', { resourceTypes: 'file' }, /resourceTypes/],
    ['a type without name', { resourceTypes: [{}] }, /resourceTypes/],
    ['101 types', { resourceTypes: Array(101).fill(plain.resourceTypes[0]) }, /resourceTypes/],
    [
      'an endPoint of 3 KiB',
      { endPoint: `https://peer.example.org/${'x'.repeat(3000)}` },
      /endPoint/,
    ],
  ])('refuses %s', (_name, change, said) => {
    expect(() => read({ ...plain, ...change })).toThrow(unusable(said))
  })

  it.each([null, [], 'text', 7, {}])('refuses %j', (document) => {
    expect(() => read(document)).toThrow(unusable(/./))
  })

  it('never throws anything but a PeerError, whatever a peer publishes', () => {
    const member = fc.constantFrom(
      ...Object.keys(plain),
      'capabilities',
      'criteria',
      'jwksUri',
      'tokenEndPoint',
    )
    fc.assert(
      fc.property(member, fc.jsonValue(), (name, value) => {
        try {
          read({ ...plain, [name]: value })
        } catch (error) {
          expect(error).toMatchObject({ code: 'peer_unusable' })
        }
      }),
    )
  })
})
