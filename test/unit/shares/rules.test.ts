import { describe, expect, it } from '@jest/globals'
import { isSegment } from '../../../src/files/index.ts'
import { parseDiscovery } from '../../../src/peers/discovery-document.ts'
import { isShareId, parsePermissions } from '../../../src/shares/index.ts'
import { decideStrictness } from '../../../src/shares/preflight.ts'
import { newRefreshToken } from '../../../src/shares/refresh-token.ts'
import { checkName, parsePath } from '../../../src/shares/resource.ts'
import { newShareId } from '../../../src/shares/share-id.ts'
import { choosePayloadShape, otherShape, writeShareNotice } from '../../../src/shares/wire.ts'
import { discoveryOf, type DiscoveryDocument, type Flavour } from '../../support/peer/discovery.ts'

const origin = 'https://peer.example.org'
const discoveryFor = (flavour: Flavour, change: DiscoveryDocument = {}) => {
  const document = { ...discoveryOf(flavour, origin), ...change }
  return parseDiscovery(document, 'peer.example.org', new URL('/.well-known/ocm', origin))
}
const failing = (code: string) => expect.objectContaining({ code })

describe('permissions as typed', () => {
  it.each([
    ['read', ['read']],
    ['write', ['read', 'write']],
    ['share, write', ['read', 'write', 'share']],
    ['read,read', ['read']],
  ])('%s are %j', (text, permissions) => {
    expect(parsePermissions(text)).toEqual(permissions)
  })

  it.each(['', 'all', 'READ', 'read,,write', 'read;write'])('are not %j', (text) => {
    expect(() => parsePermissions(text)).toThrow(failing('bad_permissions'))
  })
})

describe('a path as typed', () => {
  it.each([
    ['/Holiday/2026', ['Holiday', '2026']],
    ['Holiday/', ['Holiday']],
    ['/', []],
    ['/a//b', ['a', 'b']],
    ['/%2e%2e', ['%2e%2e']],
  ])('%s is %j', (text, segments) => {
    expect(parsePath(text)).toEqual(segments)
  })

  it.each(['/..', '/a/../b', './a', '/a/.', '/a\0b'])('is not %j', (text) => {
    expect(() => parsePath(text)).toThrow(failing('bad_path'))
  })
})

describe('the name a recipient sees (robustness D8)', () => {
  it.each(['Holiday', 'Ferien & Spaß', '旅行', 'a'.repeat(255)])('may be %s', (name) => {
    expect(checkName(name)).toBe(name)
  })

  it.each([
    '',
    ' ',
    '.',
    '..',
    'a/b',
    'a\\b',
    'a\0',
    'a\nb',
    'evil\u202etxt.exe',
    'x'.repeat(256),
    '旅'.repeat(86),
  ])('may not be %j', (name) => {
    expect(() => checkName(name)).toThrow(failing('bad_name'))
  })
})

describe('whether a share is strict', () => {
  it.each([
    ['auto', false, true, false],
    ['auto', true, true, true],
    ['strict', false, true, true],
    ['strict', true, true, true],
    ['legacy', false, true, false],
    ['legacy', false, false, false],
    ['auto', false, false, false],
  ] as const)('%s, demanded: %s, able: %s → %s', (mode, demanded, able, strict) => {
    const discovery = discoveryFor('plain', {
      criteria: demanded ? ['must-exchange-token'] : [],
      ...(!able && { capabilities: [], tokenEndPoint: undefined }),
    })
    expect(decideStrictness('peer.example.org', mode, discovery, false)).toBe(strict)
  })

  it('is refused where peer and operator disagree', () => {
    const demanding = discoveryFor('plain', { criteria: ['must-exchange-token'] })
    const unable = discoveryFor('plain', { capabilities: [], tokenEndPoint: undefined })
    expect(() => decideStrictness('p', 'legacy', demanding, false)).toThrow(
      failing('token_exchange_required'),
    )
    expect(() => decideStrictness('p', 'strict', unable, false)).toThrow(
      failing('token_exchange_unsupported'),
    )
  })
  it('is ours to demand, too (federation.requireTokenExchange)', () => {
    const able = discoveryFor('plain')
    const unable = discoveryFor('plain', { capabilities: [], tokenEndPoint: undefined })
    expect(decideStrictness('p', 'auto', able, true)).toBe(true)
    expect(() => decideStrictness('p', 'legacy', able, true)).toThrow('leave out --legacy')
    expect(() => decideStrictness('p', 'auto', unable, true)).toThrow(
      failing('token_exchange_unsupported'),
    )
  })
})

describe('the payload shape (peers.md §2.6)', () => {
  it.each<[Flavour, DiscoveryDocument, string]>([
    ['ocmgo', {}, 'strict'],
    ['ocmgo', { criteria: ['must-exchange-token'] }, 'multi'],
    ['nextcloud-newest', {}, 'classic'],
    ['nextcloud-v32-cavage', {}, 'classic'],
    ['nextcloud-newest', { provider: 'Our files', apiVersion: '1.0-proposal1' }, 'classic'],
    ['reva', {}, 'multi'],
    ['ocm-stub', {}, 'classic'],
    ['opencloud-2025-02', {}, 'classic'],
    ['opencloud-2025-02', { apiVersion: '1.2.0' }, 'multi'],
    [
      'plain',
      { provider: undefined, apiVersion: '2.0', capabilities: ['exchange-token'] },
      'classic',
    ],
    ['plain', { apiVersion: 'nonsense', capabilities: ['exchange-token'] }, 'classic'],
  ])('for %s with %j is %s', (flavour, change, shape) => {
    expect(choosePayloadShape(discoveryFor(flavour, change))).toBe(shape)
  })

  it('has one other to try', () => {
    expect([otherShape('classic'), otherShape('multi')]).toEqual(['multi', 'classic'])
  })
})

describe('the notice', () => {
  const notice = {
    shareId: newShareId(),
    recipient: 'bob@peer.example.org',
    owner: 'alice@ours.example.org',
    ownerDisplayName: 'Alice',
    senderDisplayName: 'Alice',
    name: 'Holiday',
    resourceType: 'folder' as const,
    permissions: ['read'] as const,
    strict: false,
    expiresAt: null,
    refreshToken: 'S',
    url: 'https://ours.example.org/dav/ocm/x',
  }

  it('has no empty arrays and no key that strict peers refuse', () => {
    const text = JSON.stringify(writeShareNotice(notice, 'strict', discoveryFor('ocmgo')))
    expect(text).not.toMatch(/\[\]|null|"options"|"expiration"/)
  })

  it('calls a folder a file for a peer that knows only files', () => {
    expect(writeShareNotice(notice, 'strict', discoveryFor('ocmgo'))['resourceType']).toBe('file')
    expect(writeShareNotice(notice, 'multi', discoveryFor('reva'))['resourceType']).toBe('folder')
  })

  it('says its end in whole seconds', () => {
    const ending = { ...notice, expiresAt: 1_700_000_000_999 }
    expect(writeShareNotice(ending, 'multi', discoveryFor('reva'))['expiration']).toBe(
      1_700_000_000,
    )
  })
})

describe('ids and secrets of a share', () => {
  it('are recognised, and nothing else is', () => {
    expect(isShareId(newShareId())).toBe(true)
    for (const text of ['', 'shr-', 'shr-short', `${newShareId()}x`, newShareId().toUpperCase()]) {
      expect(isShareId(text)).toBe(false)
    }
    expect(isSegment(newShareId())).toBe(true)
  })

  it('have 256 random bits in 43 letters and digits', () => {
    const all = Array.from({ length: 100 }, () => newRefreshToken().reveal())
    for (const text of all) expect(text).toMatch(/^[A-Za-z0-9]{43}$/)
    expect(new Set(all).size).toBe(100)
  })
})
