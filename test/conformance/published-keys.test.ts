import { describe, expect, it } from '@jest/globals'
import { findKey, verifySignature, type Jwk } from '../../src/http-signatures/index.ts'
import { listFixtures, readFixture } from '../support/fixtures.ts'

describe('the keys that peers publish, and ours', () => {
  const sets = listFixtures('jwks').filter((name) => !/negative|vectors/.test(name))

  it.each(sets)('%s has keys that can be found and used', (name) => {
    const { keys } = readFixture(name) as { keys: Jwk[] }
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
