import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { bearer, davClient } from '../../support/dav-client.ts'
import { request } from '../../support/http-request.ts'
import { tokenStage, type TokenStage } from '../../support/token-stage.ts'

/** Many requests, on a machine that may be busy. */
jest.setTimeout(30_000)

let stage: TokenStage

beforeEach(async () => {
  stage = await tokenStage()
})

afterEach(() => stage.close())

const open = async (token: string): Promise<number> =>
  (await davClient(`${stage.server.url}/dav/ocm/`, bearer(token)).get('beach.txt')).status

async function publishedKids(): Promise<string[]> {
  const answer = await request(`${stage.server.url}/.well-known/jwks.json`)
  const { keys } = answer.json() as { keys: { kid: string }[] }
  return keys.map(({ kid }) => kid)
}

/** A server that asks for our keys once an hour and believes no other. */
function hourlyCache(fetchAt: number) {
  let kids: string[] = []
  let next = fetchAt
  return async (now: number): Promise<string[]> => {
    if (now >= next) {
      kids = await publishedKids()
      next = now + 3_600_000
    }
    return kids
  }
}

describe('R17: key rotate', () => {
  it('lets nobody meet a key that is not known, or a token that is not taken', async () => {
    const { server, peer, share } = stage
    const { clock } = server
    const { keys, jobs } = server.services()
    const stepMs = 300_000
    // Whenever a peer looked last: one of these looked just before the new key was there.
    const caches = Array.from({ length: 12 }, (_, n) => hourlyCache(clock.now() - n * stepMs))
    const [first] = await keys.list()
    const begin = clock.now()
    for (const [n, cache] of caches.entries()) await cache(begin - n * stepMs)
    const { kid: next } = await keys.rotate('ES256')
    const seen: Record<string, { first: number; last: number }> = {}
    let tokens: string[] = []
    for (let minutes = 0; minutes <= 180; minutes += 5) {
      await jobs.run('rotate-keys')
      const now = clock.now()
      const { keyId } = await keys.messageSigner()
      const token = await peer.exchange(server, share.secret)
      expect(decodeProtectedHeader(token).kid).toBe(keyId)
      for (const cache of caches) expect(await cache(now)).toContain(keyId)
      tokens = [...tokens, token].filter((one) => (decodeJwt(one).exp ?? 0) * 1000 > now)
      const published = await publishedKids()
      for (const one of tokens) {
        expect(await open(one)).toBe(200)
        expect(published).toContain(decodeProtectedHeader(one).kid)
      }
      for (const kid of published) (seen[kid] ??= { first: now, last: now }).last = now
      clock.advance('5m')
    }
    expect(await keys.list()).toMatchObject([
      { kid: first?.kid, state: 'retired', dueAt: null },
      { kid: next, state: 'active', dueAt: null, activatedAt: begin + 3_900_000 },
    ])
    // Both were there for as long as any peer or token may count on them.
    const overlap = (seen[first?.kid ?? '']?.last ?? 0) - (seen[next]?.first ?? 0)
    expect(overlap).toBeGreaterThanOrEqual(2 * 3_900_000 - stepMs)
  })

  it('is one at a time, and is called off by retiring the key that waits', async () => {
    const { keys } = stage.server.services()
    const { kid } = await keys.rotate('Ed25519')
    await expect(keys.rotate('Ed25519')).rejects.toMatchObject({ code: 'rotation_running' })
    await keys.retire(kid)
    const again = await keys.rotate('Ed25519')
    stage.server.clock.advance('65m')
    expect(await keys.takeSteps()).toBe(2)
    await expect(keys.rotate('Ed25519')).rejects.toMatchObject({ code: 'rotation_running' })
    stage.server.clock.advance('65m')
    expect(await keys.takeSteps()).toBe(1)
    expect(await keys.takeSteps()).toBe(0)
    expect((await keys.list()).filter(({ state }) => state === 'active')).toMatchObject([
      { kid: again.kid },
    ])
  })

  it('goes on after a restart, however late', async () => {
    const { server } = stage
    const { kid } = await server.services().keys.rotate('Ed25519')
    server.clock.advance('3d')
    await server.restart()
    await server.services().jobs.run('rotate-keys')
    expect((await server.services().keys.messageSigner()).keyId).toBe(kid)
  })
})

describe('R17: key rotate --now', () => {
  it('ends the key and all it signed at once, and peers go on with the new one', async () => {
    const { server, peer, share } = stage
    const { keys } = server.services()
    const token = await peer.exchange(server, share.secret)
    expect(await open(token)).toBe(200)
    await keys.rotate('Ed25519')
    const { kid } = await keys.rotateNow('ES256')
    const asked = performance.now()
    expect(await open(token)).toBe(401)
    expect(performance.now() - asked).toBeLessThan(1000)
    expect(await publishedKids()).toEqual([kid])
    expect((await keys.messageSigner()).keyId).toBe(kid)
    expect(await open(await peer.exchange(server, share.secret))).toBe(200)
    expect((await keys.list()).map(({ state }) => state)).toEqual(['retired', 'retired', 'active'])
  })
})
