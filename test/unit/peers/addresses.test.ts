import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { createGuardedClient, isPublicAddress } from '../../../src/http/index.ts'
import {
  formatOcmAddress,
  keyIdAuthority,
  parseHost,
  parseOcmAddress,
} from '../../../src/peers/index.ts'
import { discoverPeer } from '../../../src/peers/discover.ts'
import { trustOf } from '../../../src/peers/policy.ts'
import { captureLog } from '../../support/captured-log.ts'
import { readFixture } from '../../support/fixtures.ts'
import { countOutbound } from '../../support/outbound-calls.ts'

interface Vectors {
  readonly parse: { in: string; user?: string; host?: string; error?: true }[]
  readonly normaliseRemoteUserId: { userID: string; provider: string; out: string }[]
  readonly format: { user: string; host: string; out: string }[]
}
const vectors = readFixture('vectors/addresses') as Vectors
const ssrf = readFixture('vectors/ssrf') as { refuse: string[]; allow: string[] }

describe('an OCM address (peers.md §10.4)', () => {
  it.each(vectors.parse)('$in', ({ in: text, user, host, error }) => {
    if (error)
      expect(() => parseOcmAddress(text)).toThrow(expect.objectContaining({ code: 'bad_address' }))
    else expect(parseOcmAddress(text)).toEqual({ identifier: user, host })
  })

  /** An address has its host at the end; ids without one, or with two more, come with invites. */
  const addressed = vectors.normaliseRemoteUserId.filter(
    ({ userID, provider }) => provider !== '' && userID.split('@').length < 3,
  )
  it.each(addressed)(
    'of user $userID at $provider is that of $out',
    ({ userID, provider, out }) => {
      const { identifier, host } = parseOcmAddress(`${userID}@${provider}`)
      expect([identifier, host]).toEqual([out, provider.replace('https://', '')])
    },
  )

  it.each(vectors.format)('of $user at $host is written $out', ({ user, host, out }) => {
    expect(formatOcmAddress(parseOcmAddress(`${user}@${host}`))).toBe(out)
  })

  it.each([
    'u@ours.example.org/path',
    'a\0b@h.example',
    'a\nb@h.example',
    'a\u009bb@h.example',
    'a\u202eb@h.example',
    `${'x'.repeat(513)}@h`,
    'u@h@',
  ])('is not %j', (text) => {
    expect(() => parseOcmAddress(text)).toThrow('is no OCM address')
  })

  it('keeps an opaque identifier as it is: case, @ and base64url', () => {
    const identifier = 'QWxpY2VAaWRw_-.User@idp.example'
    expect(parseOcmAddress(`${identifier}@Peer.Example`)).toEqual({
      identifier,
      host: 'peer.example',
    })
  })

  it('comes back from what it was written as, and nothing a stranger types breaks it', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let address
        try {
          address = parseOcmAddress(text)
        } catch (error) {
          expect(error).toMatchObject({ code: 'bad_address' })
          return
        }
        expect(parseOcmAddress(formatOcmAddress(address)).host).toBe(address.host)
      }),
    )
  })
})

describe('a host an operator types', () => {
  it.each([
    ['Peer.Example.org', 'peer.example.org'],
    ['https://peer.example.org/', 'peer.example.org'],
    ['peer.example.org:8443', 'peer.example.org:8443'],
  ])('%s is %s', (text, host) => {
    expect(parseHost(text)).toBe(host)
  })

  it.each(['', 'a b', 'peer/x', 'u@peer', 'ftp://peer'])('is not %j', (text) => {
    expect(() => parseHost(text)).toThrow(expect.objectContaining({ code: 'bad_host' }))
  })
})

describe('the server a keyid belongs to (robustness C7)', () => {
  it.each([
    ['https://peer.example.org/ocm#key-1', 'peer.example.org'],
    ['https://peer.example.org:443/ocm#key-1', 'peer.example.org'],
    ['https://peer.example.org:8443/ocm#key-1', 'peer.example.org:8443'],
    ['https://PEER.example.org/ocm#key-1', 'peer.example.org'],
    ['peer.example.org#key1', 'peer.example.org'],
    ['peer.example.org:8443#key1', 'peer.example.org:8443'],
  ])('of %s is %s', (keyId, host) => {
    expect(keyIdAuthority(keyId, false)).toBe(host)
  })

  it.each([
    'https://peer.example.org/ocm',
    '#key-1',
    '/ocm#key-1',
    '//peer.example.org/ocm#key-1',
    'http://peer.example.org/ocm#key-1',
    'https://u:p@peer.example.org/ocm#key-1',
    'https://peer.example.org@evil.example/ocm#k@peer.example.org',
    'https://peer.example.org./ocm#key-1',
    'peer.example.org.#key-1',
    'ftp://peer.example.org/ocm#key-1',
    'https://#key-1',
    'https:peer.example.org#key-1',
  ])('of %s is nobody', (keyId) => {
    expect([undefined, 'evil.example']).toContain(keyIdAuthority(keyId, false))
  })

  it('may be on plain http in development only', () => {
    expect(keyIdAuthority('http://127.0.0.1:80/ocm#k', true)).toBe('127.0.0.1')
    expect(keyIdAuthority('http://127.0.0.1:81/ocm#k', true)).toBe('127.0.0.1:81')
  })

  it('never is a look-alike', () => {
    expect(keyIdAuthority('https://аpple.example/ocm#k', false)).not.toBe('apple.example')
  })
})

describe('whom we talk to', () => {
  it.each([
    [{ allow: [], deny: [] }, 'a.example', 'open'],
    [{ allow: ['a.example'], deny: [] }, 'a.example', 'allowed'],
    [{ allow: ['a.example'], deny: [] }, 'b.example', 'denied'],
    [{ allow: ['A.Example:443'], deny: [] }, 'a.example', 'allowed'],
    [{ allow: ['*.a.example'], deny: [] }, 'x.a.example', 'allowed'],
    [{ allow: ['*.a.example'], deny: [] }, 'a.example', 'denied'],
    [{ allow: ['*.a.example'], deny: [] }, 'evila.example', 'denied'],
    [{ allow: ['a.example'], deny: [] }, 'a.example.evil', 'denied'],
    [{ allow: ['a.example'], deny: ['a.example'] }, 'a.example', 'denied'],
    [{ allow: [], deny: ['*.a.example'] }, 'x.a.example', 'denied'],
    [{ allow: ['a.example'], deny: [] }, 'a.example:8443', 'denied'],
  ])('%j: %s is %s', (policy, host, trust) => {
    expect(trustOf(host, policy, null)).toBe(trust)
  })

  it.each([
    [{ allow: [], deny: [] }, 'denied', 'denied'],
    [{ allow: [], deny: [] }, 'allowed', 'allowed'],
    [{ allow: ['a.example'], deny: [] }, 'denied', 'denied'],
    [{ allow: ['b.example'], deny: [] }, 'allowed', 'allowed'],
    [{ allow: [], deny: ['a.example'] }, 'allowed', 'denied'],
  ] as const)('%j: a.example, marked %s by the operator, is %s', (policy, mark, trust) => {
    expect(trustOf('a.example', policy, mark)).toBe(trust)
  })
})

describe('the addresses we never call (H1)', () => {
  const client = createGuardedClient({ log: captureLog().log, timeoutMs: 500 })

  it.each(ssrf.refuse)('%s is refused, whatever it is asked for', async (address) => {
    expect(isPublicAddress(address)).toBe(false)
    const outbound = countOutbound()
    const host = address.includes(':') ? `[${address}]` : address
    const found = discoverPeer(client, host, false)
    await expect(found).rejects.toMatchObject({
      code: 'peer_unreachable',
      cause: { code: 'blocked_address' },
    })
    // Refused as a literal, before anything is sent.
    expect(outbound.count()).toBe(0)
    outbound.stop()
  })

  it.each(ssrf.allow)('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })
})
