import { describe, expect, it } from '@jest/globals'
import { discoveryPaths, endpointPaths, writeDiscovery } from '../../../src/discovery/document.ts'
import { parseDiscovery } from '../../../src/peers/discovery-document.ts'

const facts = {
  publicUrl: 'https://ours.example.org:8443',
  provider: 'Ours',
  criteria: { requireSignatures: false, requireTokenExchange: false },
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
    [true, false, ['must-use-http-sig']],
    [false, true, ['must-exchange-token']],
    [true, true, ['must-use-http-sig', 'must-exchange-token']],
  ])(
    'with signatures required: %s, exchange: %s has criteria %j',
    (signatures, exchange, criteria) => {
      const demands = { requireSignatures: signatures, requireTokenExchange: exchange }
      expect(writeDiscovery({ ...facts, criteria: demands }, undefined)['criteria']).toEqual(
        criteria,
      )
    },
  )

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
