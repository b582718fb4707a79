import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readFixture } from '../../support/fixtures.ts'
import { request } from '../../support/http-request.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const paths = [
  '/.well-known/ocm',
  '/ocm-provider',
  '/ocm-provider/',
  '/ocm-provider/index.php',
  '/index.php/ocm-provider',
  '/index.php/ocm-provider/',
]

interface Document extends Record<string, unknown> {
  readonly capabilities: string[]
  readonly resourceTypes: { name: string; protocols: Record<string, unknown> }[]
}

let server: TestServer
let document: Document

beforeAll(async () => {
  server = await startServer()
  document = (await request(`${server.url}/.well-known/ocm`)).json() as Document
})

afterAll(() => server.close())

describe('the discovery document (peers.md §1.8, D1)', () => {
  it('has absolute endpoints on one authority, and a criteria array', () => {
    expect(document).toMatchObject({
      enabled: true,
      apiVersion: '1.4.0',
      version: '1.1.2',
      provider: 'davmesh',
      endPoint: `${server.url}/ocm`,
      tokenEndPoint: `${server.url}/ocm/token`,
      jwksUri: `${server.url}/.well-known/jwks.json`,
      criteria: [],
    })
    expect(document.capabilities).toEqual(expect.arrayContaining(['exchange-token', 'http-sig']))
  })

  it('advertises WebDAV for files and folders (reva looks each share type up)', () => {
    const roots = document.resourceTypes.map(({ name, protocols }) => [name, protocols['webdav']])
    expect(roots).toEqual([
      ['file', '/dav/ocm/'],
      ['folder', '/dav/ocm/'],
    ])
  })

  it('promises nothing that is not in the recommended document', () => {
    const recommended = readFixture('discovery/ours-recommended') as Document
    expect(Object.keys(recommended)).toEqual(expect.arrayContaining(Object.keys(document)))
    expect(recommended.capabilities).toEqual(expect.arrayContaining(document.capabilities))
  })

  it.each(paths)('is the same at %s, for GET and HEAD', async (path) => {
    const answer = await request(server.url + path)
    expect([answer.status, answer.json()]).toEqual([200, document])
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    const head = await request(server.url + path, { method: 'HEAD' })
    expect([head.status, head.text]).toEqual([200, ''])
    expect(head.headers['content-length']).toBe(answer.headers['content-length'])
  })

  it.each(paths)('has apiVersion 1.1 at %s for the Nextcloud crawler (D3)', async (path) => {
    const headers = { 'user-agent': 'Nextcloud Server Crawler' }
    const answer = await request(server.url + path, { headers })
    expect(answer.json()).toEqual({ ...document, apiVersion: '1.1' })
    expect(answer.headers['vary']).toMatch(/user-agent/i)
  })

  it('says only what publicUrl says, whatever Host and X-Forwarded-* claim (design §7.4)', async () => {
    const headers = { host: 'evil.example.org', 'x-forwarded-host': 'evil.example.org' }
    const answer = await request(`${server.url}/.well-known/ocm`, { headers })
    expect(answer.json()).toEqual(document)
  })

  it('has no URL that does not answer', async () => {
    const urls = JSON.stringify(document).match(/https?:\/\/[^"]+/g) ?? []
    const roots = document.resourceTypes.map(
      ({ protocols }) => server.url + String(protocols['webdav']),
    )
    const found = await Promise.all(
      [...urls, ...roots].map(async (url) => [url, (await request(url)).status] as const),
    )
    const statuses = Object.fromEntries(
      found.map(([url, status]) => [url.replace(server.url, ''), status]),
    )
    // The OCM base is no resource of its own; its members are.
    expect(statuses).toEqual({
      '/ocm': 404,
      // The name of a key, not a place.
      '/ocm#signature': 404,
      '/ocm/token': 405,
      '/.well-known/jwks.json': 200,
      '/dav/ocm/': 401,
    })
    // They are there, and want JSON.
    for (const member of ['shares', 'notifications', 'invite-accepted']) {
      const answer = await request(`${server.url}/ocm/${member}`, { method: 'POST' })
      expect([400, 415]).toContain(answer.status)
    }
  })

  it('shows what the configuration demands of peers', async () => {
    const federation = { requireSignatures: true, requireTokenExchange: true }
    await using strict = await startServer({ config: { federation, provider: 'Ours' } })
    const answer = await request(`${strict.url}/.well-known/ocm`)
    expect(answer.json()).toMatchObject({
      provider: 'Ours',
      criteria: ['must-use-http-sig', 'must-exchange-token'],
    })
  })
})

describe('the JWK Set', () => {
  it('has every published key with alg, use and an absolute kid, and nothing private', async () => {
    const { keys } = server.services()
    const next = await keys.generate('ES256')
    const answer = await request(`${server.url}/.well-known/jwks.json`)
    expect(answer.headers['content-type']).toMatch(/^application\/jwk-set\+json/)
    expect(answer.json()).toEqual({
      keys: [
        {
          kty: 'OKP',
          crv: 'Ed25519',
          alg: 'Ed25519',
          use: 'sig',
          kid: `${server.url}/ocm#key-1`,
          x: expect.any(String),
        },
        {
          kty: 'EC',
          crv: 'P-256',
          alg: 'ES256',
          use: 'sig',
          kid: next.kid,
          x: expect.any(String),
          y: expect.any(String),
        },
      ],
    })
  })

  it('keeps a key that is retiring and drops one that is retired', async () => {
    const { keys } = server.services()
    const { kid } = await keys.generate('Ed25519')
    const published = async () => {
      const { keys: all } = (await request(`${server.url}/.well-known/jwks.json`)).json() as {
        keys: { kid: string }[]
      }
      return all.map((key) => key.kid)
    }
    const first = `${server.url}/ocm#key-1`
    await keys.activate(kid)
    expect(await published()).toEqual(expect.arrayContaining([first, kid]))
    await keys.retire(first)
    expect(await published()).not.toContain(first)
    expect(await published()).toContain(kid)
  })
})
