import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { request, type Answer } from '../support/http-request.ts'
import { expectInvariants } from '../support/invariants.ts'
import {
  newLegacyKey,
  signLegacy,
  type LegacyKey,
  type LegacyRecipe,
} from '../support/peer/cavage.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type ServerOptions, type TestServer } from '../support/start-server.ts'
import { expectOAuthError, formOf } from '../support/token-stage.ts'

/** A server and a Nextcloud 32 with a share. */
async function legacyStage(options: ServerOptions = {}) {
  const server = await startServer(options)
  const peer = await independentPeer({ flavour: 'nextcloud-v32-cavage' })
  const key = newLegacyKey(`${peer.url}/ocm#signature`)
  peer.changeDiscovery({ publicKey: key.publicKey })
  await addAlice(server)
  const { secret } = await shareWith(server, peer, { permissions: ['read'] })
  return {
    server,
    peer,
    key,
    secret,
    close: () => Promise.all([peer.close(), server.close()]),
    async [Symbol.asyncDispose]() {
      await this.close()
    },
  }
}

type LegacyStage = Awaited<ReturnType<typeof legacyStage>>

interface How {
  readonly key?: LegacyKey
  readonly recipe?: LegacyRecipe
  readonly sentBody?: string
  /** Fields that are sent but not signed. */
  readonly extra?: Readonly<Record<string, string>>
}

/** A token request with a draft-cavage signature. */
function askToken({ server, peer, key, secret }: LegacyStage, how: How = {}): Promise<Answer> {
  const body = formOf({
    grant_type: 'authorization_code',
    client_id: peer.host,
    code: secret,
  })
  const message = { method: 'POST', targetUri: `${server.url}/ocm/token`, body }
  const fields = signLegacy(message, how.key ?? key, server.clock.seconds(), how.recipe)
  return peer.askToken(server, secret, {
    unsigned: true,
    body,
    extra: { ...fields, ...how.extra },
    ...(how.sentBody !== undefined && { sentBody: how.sentBody }),
  })
}

const askUnsigned = ({ server, peer, secret }: LegacyStage) =>
  peer.askToken(server, secret, { unsigned: true })

describe('a Nextcloud 32 at the token endpoint', () => {
  let stage: LegacyStage
  beforeAll(async () => {
    stage = await legacyStage()
    // Its key, and our own, are known from now on.
    expect((await askToken(stage)).status).toBe(200)
  })
  afterAll(() => stage.close())

  /** Refused, with nothing stored and nobody asked. */
  async function expectRefused(how: How, status = 401): Promise<void> {
    const [answer] = await expectInvariants(stage.server, () => askToken(stage, how))
    expectOAuthError(answer, status, status === 400 ? 'invalid_request' : 'invalid_client')
  }

  it.each<[string, LegacyRecipe]>([
    ['rsa-sha512', {}],
    ['rsa-sha256', { algorithm: 'rsa-sha256' }],
  ])('is believed with %s', async (_name, recipe) => {
    expect((await askToken(stage, { recipe })).status).toBe(200)
  })

  it('may also not sign, as it never said it would', async () => {
    expect((await askUnsigned(stage)).status).toBe(200)
  })

  it('is refused with an altered body: 400', async () => {
    const sentBody = formOf({ grant_type: 'authorization_code', client_id: stage.peer.host })
    const extra = { 'content-length': String(sentBody.length) }
    await expectRefused({ sentBody, extra }, 400)
  })

  it.each<[string, LegacyRecipe]>([
    ['an old Date', { fields: { date: new Date(0).toUTCString() } }],
    ['a field uncovered', { order: ['(request-target)', 'date', 'digest'] }],
    ['an HMAC', { parameters: { algorithm: 'hmac-sha256' } }],
    ['the Host of another server', { fields: { host: 'localhost' } }],
    [
      "the keyId of another server's key",
      { parameters: { keyId: 'https://nc9.example.org/ocm#signature' } },
    ],
    ['a keyId that is no URL', { parameters: { keyId: 'signature' } }],
  ])('is refused with %s, without a question to anybody', async (_name, recipe) => {
    await expectRefused({ recipe })
  })

  it('is refused with an RFC 9421 signature that fails, whatever else it carries', async () => {
    const extra = { 'signature-input': 'ocm=();created=1;keyid="k#1";tag="ocm"' }
    await expectRefused({ extra })
  })
})

describe('the key of a Nextcloud 32', () => {
  it('is asked for again once when a signature does not fit, then at most every 30 s', async () => {
    await using stage = await legacyStage()
    const { server, peer } = stage
    expect((await askToken(stage)).status).toBe(200)
    const other = newLegacyKey(stage.key.keyId)
    const refused = () => askToken(stage, { key: other })
    // https is tried first, then the http that answers.
    const [first] = await expectInvariants(server, refused, { outbound: 2, mayChange: ['peers'] })
    expectOAuthError(first, 401, 'invalid_client')
    const [second] = await expectInvariants(server, refused)
    expectOAuthError(second, 401, 'invalid_client')

    peer.changeDiscovery({ publicKey: other.publicKey })
    server.clock.advance('30s')
    const [one, two] = await Promise.all([refused(), refused()])
    expect([one.status, two.status]).toEqual([200, 200])
    expectOAuthError(await askToken(stage), 401, 'invalid_client')
  })

  it('must have the very keyId of the signature', async () => {
    await using stage = await legacyStage()
    const { publicKeyPem } = stage.key.publicKey
    for (const keyId of [`${stage.peer.url}/ocm#other`, undefined]) {
      stage.peer.changeDiscovery({ publicKey: { keyId, publicKeyPem } })
      await stage.server.services().peers.discover(stage.peer.host)
      expectOAuthError(await askToken(stage), 401, 'invalid_client')
    }
  })

  it('counts for nothing once the peer signs by RFC 9421: no downgrade', async () => {
    await using stage = await legacyStage()
    const { server, peer } = stage
    peer.changeDiscovery({ capabilities: ['http-sig'], jwksUri: `${peer.url}/ocm/jwks` })
    await server.services().peers.discover(peer.host)
    expect((await askToken(stage)).status).toBe(401)
    for (const ask of [askToken, askUnsigned]) {
      const [answer] = await expectInvariants(server, () => ask(stage))
      expectOAuthError(answer, 401, 'invalid_client')
    }
    expect((await peer.askToken(server, stage.secret)).status).toBe(200)
  })
})

describe('what the operator decides', () => {
  it('signatures.legacy off: the signature counts as none', async () => {
    await using stage = await legacyStage({ config: { signatures: { legacy: false } } })
    const recipe = { fields: { date: new Date(0).toUTCString() } }
    expect((await askToken(stage, { recipe })).status).toBe(200)
  })

  it('requireSignatures: a draft-cavage signature is one', async () => {
    await using stage = await legacyStage({ config: { federation: { requireSignatures: true } } })
    expect((await askToken(stage)).status).toBe(200)
    expectOAuthError(await askUnsigned(stage), 401, 'invalid_client')
  })
})

describe('our own key for such peers', () => {
  const keyOf = async (server: TestServer) => {
    const answer = await request(`${server.url}/.well-known/ocm`)
    return (answer.json() as { publicKey?: { keyId: string; publicKeyPem: string } }).publicKey
  }

  it('is in discovery, made once, and survives a restart', async () => {
    await using server = await startServer()
    const [first, second] = await Promise.all([keyOf(server), keyOf(server)])
    expect(first?.keyId).toBe(`${server.url}/ocm#signature`)
    expect(first?.publicKeyPem).toMatch(/^-----BEGIN PUBLIC KEY-----\n/)
    expect(second).toEqual(first)
    await server.restart()
    expect(await keyOf(server)).toEqual(first)
    const { text } = await request(`${server.url}/.well-known/jwks.json`)
    expect(text).not.toContain('RSA')
  })

  it('lies sealed in the database', async () => {
    await using server = await startServer()
    await keyOf(server)
    const rows = server.services().db.raw.reader.prepare('SELECT * FROM legacy_keys').all()
    expect(rows).toHaveLength(1)
    const { sealed_private_pem: sealed } = rows[0] as { sealed_private_pem: Buffer }
    expect(sealed.toString('latin1')).not.toContain('PRIVATE KEY')
  })

  it('does not exist without signatures.legacy', async () => {
    await using server = await startServer({ config: { signatures: { legacy: false } } })
    expect(await keyOf(server)).toBeUndefined()
  })
})
