import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { contentHash, parseOffer } from '../../../src/shares/incoming/offer.ts'
import { listFixtures, readFixture } from '../../support/fixtures.ts'

const context = { authority: 'ours.example.org', allowHttp: false, now: 1000 }

const good = {
  shareWith: 'marie@ours.example.org',
  name: 'Trip',
  providerId: 'p',
  owner: 'x@peer.example.org',
  sender: 'x@peer.example.org',
  shareType: 'user',
  resourceType: 'file',
  protocol: { name: 'webdav', webdav: { sharedSecret: 's', uri: 'id' } },
}

const arm = (webdav: object) =>
  parseOffer(
    { ...good, protocol: { name: 'multi', webdav: { sharedSecret: 's', ...webdav } } },
    context,
  )

describe('an offer', () => {
  it('is read from every recorded payload, ours included', () => {
    const names = listFixtures('shares').filter((name) => !/negative|responses|group/.test(name))
    expect(names.length).toBe(17)
    for (const name of names) {
      const offer = parseOffer(readFixture(name), { ...context, authority: 'ours.example.org' })
      expect([name, offer.secret.length > 0]).toEqual([name, true])
    }
  })

  it.each([
    [undefined, null],
    [null, null],
    [0, null],
    ['0', null],
    [0.5, null],
    [5, 5000],
    ['5', 5000],
    [5.9, 5000],
    [8.64e12, 8.64e15],
  ])('expires with %p at %p', (expiration, expiresAt) => {
    expect(parseOffer({ ...good, expiration }, context).expiresAt).toBe(expiresAt)
  })

  it.each([
    [undefined, null],
    [[], []],
    [['read'], ['read']],
    [['write'], ['read', 'write']],
    [
      ['share', 'read'],
      ['share', 'read'],
    ],
    [['read', 'read', 'fly', 5], ['read']],
    [['fly'], []],
  ])('with permissions %p grants %p', (permissions, expected) => {
    expect(arm({ permissions }).permissions).toEqual(expected)
  })

  it.each([
    ['id', 'id'],
    ['/id', 'id'],
    ['a/b', 'a/b'],
    ['', null],
    [null, null],
    ['https://peer.example.org/x', 'https://peer.example.org/x'],
    ['https://PEER.example.org:443/x', 'https://peer.example.org/x'],
    ['https://ours.example.org/dav/ocm/id', 'id'],
    ['https://ours.example.org/dav/ocm/id/', 'id'],
  ])('at %p is at %p', (uri, expected) => {
    expect(arm({ uri }).uri).toBe(expected)
  })

  it('takes the first secret it finds, and the code where it is another', () => {
    const of = (options: unknown, webdav: unknown, code?: string) => {
      const protocol = { name: 'webdav', options, webdav }
      const offer = parseOffer({ ...good, code, protocol }, context)
      return [offer.secret, offer.code]
    }
    expect(of({ sharedSecret: 'o' }, { sharedSecret: 'w' })).toEqual(['w', null])
    expect(of({ sharedSecret: 'o' }, { uri: 'x' }, 'c')).toEqual(['o', 'c'])
    expect(of([], {}, 'c')).toEqual(['c', null])
    expect(of({ sharedSecret: 'o' }, undefined, '')).toEqual(['o', null])
  })

  it('is strict when either form says so', () => {
    const requirements = ['must-exchange-token']
    const protocol = { name: 'webdav', options: { requirements }, webdav: { sharedSecret: 's' } }
    expect(parseOffer({ ...good, protocol }, context).strict).toBe(true)
  })

  it('shows names without what deceives', () => {
    const senderDisplayName = `\u202eEve\u0000 ${'x'.repeat(300)}`
    const { senderName, ownerName } = parseOffer({ ...good, senderDisplayName }, context)
    expect(senderName).toBe(`Eve ${'x'.repeat(251)}`)
    expect(ownerName).toBeNull()
    const strange = parseOffer({ ...good, senderDisplayName: 5 }, context)
    expect(contentHash(strange)).toBe(contentHash(parseOffer(good, context)))
  })

  it('is taken or refused in words, whatever it is', () => {
    const kinds = new Set(['invalid', 'unsupported'])
    const members = fc.dictionary(fc.constantFrom(...Object.keys(good)), fc.jsonValue())
    fc.assert(
      fc.property(members, fc.jsonValue(), (change, protocol) => {
        try {
          parseOffer({ ...good, protocol, ...change }, context)
        } catch (error) {
          expect(kinds).toContain((error as { kind?: string }).kind)
        }
      }),
    )
  })
})
