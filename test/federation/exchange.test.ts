import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { bearer, davClient } from '../support/dav-client.ts'
import { request } from '../support/http-request.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { fourComponents, newPeerKey } from '../support/peer/signing.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  await addAlice(server)
})

afterAll(async () => {
  await peer.close()
  await server.close()
})

const open = async (token: string): Promise<number> =>
  (await davClient(`${server.url}/dav/ocm/`, bearer(token)).get('beach.txt')).status

const part = (jwt: string, index: number) =>
  JSON.parse(Buffer.from(jwt.split('.')[index] ?? '', 'base64url').toString()) as unknown

describe('an access token', () => {
  it('is a JWT by RFC 9068 with the claims of design §7.5 and nothing else (S23)', async () => {
    const { id, secret } = await shareWith(server, peer)
    const jwt = await peer.exchange(server, secret)
    const now = server.clock.seconds()
    expect(part(jwt, 0)).toEqual({ alg: 'Ed25519', kid: `${server.url}/ocm#key-1`, typ: 'at+jwt' })
    expect(part(jwt, 1)).toEqual({
      iss: server.url,
      sub: 'alice',
      aud: `bob@${peer.host}`,
      client_id: id,
      iat: now,
      exp: now + 3600,
      jti: expect.stringMatching(/^[A-Za-z0-9]{22,}$/),
    })
  })

  it('can be verified by anybody with our published keys', async () => {
    const { secret } = await shareWith(server, peer)
    const [head = '', claims = '', signature = ''] = (await peer.exchange(server, secret)).split(
      '.',
    )
    const { keys } = (await request(`${server.url}/.well-known/jwks.json`)).json() as {
      keys: JsonWebKey[]
    }
    const key = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' })
    const data = Buffer.from(`${head}.${claims}`)
    expect(verify(null, data, key, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('is in the token map before it leaves', async () => {
    const { id, secret } = await shareWith(server, peer)
    const jwt = await peer.exchange(server, secret)
    const { jti } = part(jwt, 1) as { jti: string }
    const [row] = await server.services().tokens.listTokens(id)
    expect(row).toMatchObject({ jti, shareId: id, clientId: id, revokedAt: null })
  })

  it('lives as long as tokens.ttlSeconds says', async () => {
    await using short = await startServer({ config: { tokens: { ttlSeconds: 300 } } })
    await addAlice(short)
    const { secret } = await shareWith(short, peer)
    expect((await peer.askToken(short, secret)).json()['expires_in']).toBe(300)
  })
})

describe('exchanging one code', () => {
  it.each([10, 100])('%i times at once gives usable, different tokens', async (count) => {
    const { id, secret } = await shareWith(server, peer)
    const asked = Array.from({ length: count }, () => peer.exchange(server, secret))
    const tokens = await Promise.all(asked)
    expect(new Set(tokens).size).toBe(count)
    const live = await server.services().tokens.listTokens(id)
    // Robustness B11: at most 64 live rows for each share.
    expect(live).toHaveLength(Math.min(count, 64))
    const statuses = await Promise.all(tokens.map(open))
    expect(statuses.filter((status) => status === 200)).toHaveLength(Math.min(count, 64))
    expect(await open(await peer.exchange(server, secret))).toBe(200)
  })

  it('beyond 64 live tokens drops the one nearest its expiry', async () => {
    const { id, secret } = await shareWith(server, peer)
    const oldest = await peer.exchange(server, secret)
    server.clock.advance('1s')
    const second = await peer.exchange(server, secret)
    server.clock.advance('1s')
    await Promise.all(Array.from({ length: 62 }, () => peer.exchange(server, secret)))
    expect([await open(oldest), await open(second)]).toEqual([200, 200])
    await peer.exchange(server, secret)
    expect([await open(oldest), await open(second)]).toEqual([401, 200])
    expect(await server.services().tokens.listTokens(id)).toHaveLength(64)
  })

  it('again with the very same message is harmless (S33)', async () => {
    const { secret } = await shareWith(server, peer)
    const [one, other] = [await peer.askToken(server, secret), await peer.askToken(server, secret)]
    expect([one.status, other.status]).toEqual([200, 200])
    expect(await open(String(one.json()['access_token']))).toBe(200)
  })
})

describe('the signature of a token request', () => {
  it('may be of the label era: no tag, with the date covered (draft-05)', async () => {
    const { secret } = await shareWith(server, peer)
    const date = new Date(server.clock.now()).toUTCString()
    const legacy = {
      components: [...fourComponents, '"date"'],
      parameters: { tag: undefined, alg: undefined },
      fields: { date },
    }
    expect((await peer.askToken(server, secret, legacy)).status).toBe(200)
  })

  it('of the label era is refused when signatures.legacy is off', async () => {
    await using strict = await startServer({ config: { signatures: { legacy: false } } })
    await addAlice(strict)
    const { secret } = await shareWith(strict, peer)
    const legacy = {
      components: [...fourComponents, '"date"'],
      parameters: { tag: undefined },
      fields: { date: new Date(strict.clock.now()).toUTCString() },
    }
    const answer = await peer.askToken(strict, secret, legacy)
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client'])
  })

  it('may stand beside a foreign one, under any label with the tag', async () => {
    const { secret } = await shareWith(server, peer)
    const foreign = [
      ['Signature-Input', 'sig1=("@method");created=1;keyid="https://other.example.org#k"'],
      ['Signature', 'sig1=:AAAA:'],
    ] as const
    const answer = await peer.askToken(server, secret, { label: 'x1', extra: foreign })
    expect(answer.status).toBe(200)
  })

  it('may be ES256, as r‖s (RFC 9421 §3.3.4)', async () => {
    await using es256 = await independentPeer({ algorithm: 'ES256' })
    const { secret } = await shareWith(server, es256)
    expect((await es256.askToken(server, secret)).status).toBe(200)
    const noAlg = { parameters: { alg: undefined } }
    expect((await es256.askToken(server, secret, noAlg)).status).toBe(200)
  })

  it('may be missing from a peer that never said it signs (OCM, "Applicability")', async () => {
    await using reva = await independentPeer({ flavour: 'reva-code-flow' })
    const { secret } = await shareWith(server, reva)
    expect((await reva.askToken(server, secret, { unsigned: true })).status).toBe(200)
  })

  it('may not be missing from a peer that signs (S37)', async () => {
    const { secret } = await shareWith(server, peer)
    const answer = await peer.askToken(server, secret, { unsigned: true })
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_client'])
  })

  it('may not be missing at all when federation.requireSignatures is on', async () => {
    await using strict = await startServer({ config: { federation: { requireSignatures: true } } })
    await using reva = await independentPeer({ flavour: 'reva-code-flow' })
    await addAlice(strict)
    const { secret } = await shareWith(strict, reva)
    expect((await reva.askToken(strict, secret, { unsigned: true })).status).toBe(401)
  })

  it('by a new key is accepted after one look at the JWK Set, by a removed one no longer', async () => {
    await using rotating = await independentPeer()
    const { secret } = await shareWith(server, rotating)
    expect((await rotating.askToken(server, secret)).status).toBe(200)
    const next = newPeerKey(`${rotating.url}/ocm#next-key`)
    rotating.publishKeys([next.jwk])
    server.clock.advance('31s')
    expect((await rotating.askToken(server, secret, { key: next })).status).toBe(200)
    expect((await rotating.askToken(server, secret)).status).toBe(401)
  })
})
