import { describe, expect, it } from '@jest/globals'
import { discoveryPaths, endpointPaths, writeDiscovery } from '../../../src/discovery/document.ts'
import { parseDiscovery } from '../../../src/peers/discovery-document.ts'
import { readFixture } from '../../support/fixtures.ts'

const facts = {
  publicUrl: 'https://ours.example.org:8443',
  provider: 'Ours',
  policy: {
    allow: [],
    deny: [],
    requireInvite: false,
    requireSignatures: false,
    requireTokenExchange: false,
  },
}

describe('our discovery document', () => {
  it('is one that we would accept ourselves', () => {
    const document = writeDiscovery(facts, undefined)
    const host = 'ours.example.org:8443'
    const read = parseDiscovery(document, host, new URL(`https://${host}/.well-known/ocm`))
    expect(read).toMatchObject({ endPoint: `${facts.publicUrl}/ocm`, criteria: [] })
  })

  it.each([
    [undefined, '1.4.0'],
    ['', '1.4.0'],
    ['Nextcloud Server Crawler', '1.1'],
    ['Nextcloud Server Crawler/2', '1.4.0'],
  ])('to user agent %j has apiVersion %s (peers.md §1.1)', (agent, version) => {
    expect(writeDiscovery(facts, agent)['apiVersion']).toBe(version)
  })

  it.each([
    [{ requireSignatures: true }, ['must-use-http-sig']],
    [{ requireTokenExchange: true }, ['must-exchange-token']],
    [{ requireInvite: true }, ['must-invite']],
    [{ allow: ['a.example'] }, ['allowlist']],
    [{ deny: ['*.example'] }, ['denylist']],
    [
      { requireSignatures: true, requireTokenExchange: true },
      ['must-use-http-sig', 'must-exchange-token'],
    ],
  ])('with the policy %j has criteria %j', (change, criteria) => {
    const policy = { ...facts.policy, ...change }
    expect(writeDiscovery({ ...facts, policy }, undefined)['criteria']).toEqual(criteria)
  })

  it('promises what the recommended document does, but for the page that we do not have', () => {
    const recommended = readFixture('discovery/ours-recommended') as Record<string, string[]>
    const document = writeDiscovery(facts, undefined)
    expect(document['resourceTypes']).toEqual(recommended['resourceTypes'])
    const without = recommended['capabilities']?.filter((name) => name !== 'invite-wayf')
    expect(document['capabilities']).toEqual(without)
    expect(document).not.toHaveProperty('inviteAcceptDialog')
  })

  it('is served where peers look (peers.md §1.1)', () => {
    expect(discoveryPaths).toEqual(
      expect.arrayContaining([
        '/.well-known/ocm',
        '/ocm-provider',
        '/ocm-provider/',
        '/ocm-provider/index.php',
      ]),
    )
    // Draft-05 peers look for the keys here, whatever jwksUri says (peers.md §4.1).
    expect(endpointPaths.jwksUri).toBe('/.well-known/jwks.json')
  })
})
