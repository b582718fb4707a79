import { describe, expect, it } from '@jest/globals'
import { authorityOf, parseAuthority } from '../../../src/core/index.ts'
import { readFixture } from '../../support/fixtures.ts'

describe('parseAuthority', () => {
  it.each([
    ['cloud.example.org', 'cloud.example.org'],
    ['CLOUD.Example.ORG', 'cloud.example.org'],
    ['cloud.example.org.', 'cloud.example.org'],
    ['cloud.example.org:443', 'cloud.example.org'],
    ['cloud.example.org:8443', 'cloud.example.org:8443'],
    ['cloud.example.org:80', 'cloud.example.org:80'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['127.0.0.1:8080', '127.0.0.1:8080'],
    ['[2001:DB8::1]:8443', '[2001:db8::1]:8443'],
    ['localhost', 'localhost'],
  ])('normalises %s to %s', (text, expected) => {
    expect(parseAuthority(text)).toBe(expected)
  })

  it.each([
    '',
    '.',
    ':443',
    'https://cloud.example.org',
    'cloud.example.org/path',
    'user@cloud.example.org',
    'cloud.example.org:port',
    'cloud.example.org:70000',
    'cloud example.org',
    'cloud.example.org?x',
    'cloud.example.org#x',
    'cloud%2eexample.org',
    'cloud.example.org\\x',
    '[::1',
    '[fe80::1%25eth0]',
    'a'.repeat(301),
    'x\0y',
  ])('refuses %j', (text) => {
    expect(parseAuthority(text)).toBeUndefined()
  })

  const { hostEquivalence } = readFixture('vectors/addresses') as {
    hostEquivalence: [origin: string, authority: string, same: boolean][]
  }
  it.each(hostEquivalence)('%s is %s: %s', (origin, authority, same) => {
    const url = new URL(origin)
    const scheme = url.protocol === 'https:' ? 'https' : 'http'
    expect(authorityOf(url) === parseAuthority(authority, scheme)).toBe(same)
  })
})
