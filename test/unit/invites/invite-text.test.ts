import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  newInviteToken,
  parseInviteText,
  writeInviteText,
} from '../../../src/invites/invite-text.ts'
import { readFixture } from '../../support/fixtures.ts'

interface Strings {
  readonly valid: { input: string; token: string; provider: string }[]
  readonly invalid: string[]
  readonly links: string[]
}

const { valid, invalid, links } = readFixture('invites/strings') as Strings

const refusal = expect.objectContaining({ code: 'bad_invite', kind: 'invalid' })

describe('an invite as people pass it on (peers.md §7.1)', () => {
  it.each(valid)('$input is $token at $provider', ({ input, token, provider }) => {
    expect(parseInviteText(input)).toEqual({ token, host: provider })
    expect(parseInviteText(`  ${input}\n`)).toEqual({ token, host: provider })
  })

  it.each([
    ['tok123@Ours.example.org:443', 'tok123', 'ours.example.org'],
    ['tok123@ours.example.org:8443', 'tok123', 'ours.example.org:8443'],
    ['a@b@c@ours.example.org', 'a@b@c', 'ours.example.org'],
    [links[0] ?? '', 'tok123', 'nc1.example.org'],
    [links[1] ?? '', 'tok123', 'ours.example.org'],
  ])('%s too', (text, token, host) => {
    expect(parseInviteText(text)).toEqual({ token, host })
  })

  it.each([
    ...invalid,
    '',
    ' ',
    '@',
    'token@',
    '@ours.example.org',
    'token@https://ours.example.org',
    'to\u0000ken@ours.example.org',
    'to ken@ours.example.org',
    'token@ours.example.org/path',
    'https://ours.example.org/wayf',
    'https://ours.example.org/wayf?token=',
    'https://',
    'x'.repeat(5000),
    Buffer.from([0xff, 0xfe, 0x40, 0x61]).toString('base64'),
  ])('%j is none', (text) => {
    expect(() => parseInviteText(text)).toThrow(refusal)
  })

  it('never fails in another way', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          const { token, host } = parseInviteText(text)
          expect([token === '', host === '']).toEqual([false, false])
        } catch (error) {
          expect(error).toEqual(refusal)
        }
      }),
    )
  })
})

describe('an invite of ours', () => {
  const authorities = fc
    .tuple(fc.domain(), fc.option(fc.integer({ min: 1, max: 65_535 })))
    .map(([domain, port]) => (port === null ? domain : `${domain}:${port}`))

  it('is the same text in base64 and base64url, with nothing to pad', () => {
    fc.assert(
      fc.property(authorities, (host) => {
        const token = newInviteToken(host)
        expect(token).toMatch(/^[A-Za-z0-9]{43,45}$/)
        const text = writeInviteText({ token, host })
        expect(text).toBe(Buffer.from(`${token}@${host}`).toString('base64'))
        expect(text).toMatch(/^[A-Za-z0-9]+$/)
      }),
    )
  })

  it('is read back', () => {
    const token = newInviteToken('[2001:db8::1]:8443')
    const text = writeInviteText({ token, host: '[2001:db8::1]:8443' })
    expect(parseInviteText(text)).toEqual({ token, host: '[2001:db8::1]:8443' })
  })
})
