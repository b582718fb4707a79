import { describe, expect, it } from '@jest/globals'
import { findKey, verifySignature, type Jwk } from '../../src/http-signatures/index.ts'
import { listFixtures, readFixture } from '../support/fixtures.ts'
import { request } from '../support/http-request.ts'
import { startServer } from '../support/start-server.ts'

interface Jwks {
  readonly keys: Jwk[]
}

it('ours is published as recommended', async () => {
  await using server = await startServer()
  const published = (await request(`${server.url}/.well-known/jwks.json`)).json() as unknown as Jwks
  const [recommended] = (readFixture('jwks/ours') as Jwks).keys
  const [key, ...others] = published.keys
  expect(others).toEqual([])
  expect(Object.keys(key ?? {}).sort()).toEqual(Object.keys(recommended ?? {}).sort())
  const kid = `${server.url}/ocm#key-1`
  expect(key).toEqual({ ...recommended, kid, x: expect.stringMatching(/^[\w-]{43}$/) })
})

describe('the keys that peers publish', () => {
  const sets = listFixtures('jwks').filter((name) => !/negative|vectors/.test(name))

  it.each(sets)('%s has keys that can be found and used', (name) => {
    const { keys } = readFixture(name) as Jwks
    expect(keys.length).toBeGreaterThan(0)
    for (const { kid } of keys) {
      const found = findKey({ keys }, String(kid))
      if (found.status !== 'found') throw new Error(found.status)
      // The key is taken; nothing was signed with it.
      const verdict = verifySignature(
        { base: new Uint8Array(), bytes: new Uint8Array(1) },
        found.jwk,
      )
      expect(verdict).toEqual({ ok: false, reason: 'signature_length' })
    }
  })
})
