import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  basicAppPassword,
  bearerAccessToken,
  createAuthChain,
  jwksAccessToken,
  sharedSecret,
  type AuthPlugin,
  type Credential,
} from '../../../src/auth/index.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { leaksIn } from '../../support/secrets.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const request = { address: '192.0.2.1' }
const names = [
  'bearer-access-token',
  'basic-app-password',
  'shared-secret',
  'jwks-access-token',
] as const
type Name = (typeof names)[number]

let server: TestServer
let peer: IndependentPeer
let plugins: Record<Name, AuthPlugin>
/** What each plugin accepts, and what it knows for its own but refuses. */
let good: Record<Name, Credential>
let bad: Record<Name, Credential>

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  const { tokens, users, shares, keys } = server.services()
  const password = await addAlice(server)
  const legacy = await shareWith(server, peer, { mode: 'legacy' })
  const strict = await shareWith(server, peer, { mode: 'strict' })
  const token = await peer.exchange(server, legacy.secret)
  server.secrets.add(token)
  plugins = {
    'bearer-access-token': bearerAccessToken({ verify: tokens.verify }),
    'basic-app-password': basicAppPassword({ login: users.login }),
    'shared-secret': sharedSecret({ findShare: shares.findLiveShare }),
    'jwks-access-token': jwksAccessToken({
      issuer: server.url,
      jwks: await keys.jwks(),
      now: () => new Date(server.clock.now()),
    }),
  }
  const altered = `${token.slice(0, -4)}AAAA`
  good = {
    'bearer-access-token': { scheme: 'Bearer', token },
    'basic-app-password': { scheme: 'Basic', username: 'alice', password },
    'shared-secret': { scheme: 'Bearer', token: legacy.secret },
    'jwks-access-token': { scheme: 'Bearer', token },
  }
  bad = {
    'bearer-access-token': { scheme: 'Bearer', token: altered },
    'basic-app-password': { scheme: 'Basic', username: 'alice', password: `${password}x` },
    'shared-secret': { scheme: 'Bearer', token: strict.secret },
    'jwks-access-token': { scheme: 'Bearer', token: altered },
  }
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

/** RFC 9110 §11.2: a scheme and quoted parameters, nothing that could break out of a field. */
const challenge =
  /^(Bearer|Basic) realm="[\x20\x21\x23-\x5b\x5d-\x7e]+"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]+")*$/

describe.each(names)('the plugin %s', (name) => {
  it('goes by its name and says which schemes it wants', () => {
    expect(plugins[name].name).toBe(name)
    expect(plugins[name].schemes.length).toBeGreaterThan(0)
  })

  it('accepts what is its own and good', async () => {
    expect(await plugins[name].authenticate(good[name], request)).toMatchObject({
      status: 'authenticated',
      principal: { kind: expect.stringMatching(/^(user|share|token)$/) },
    })
  })

  it('rejects what is its own and bad, with a code for strangers and a reason for the log', async () => {
    const outcome = await plugins[name].authenticate(bad[name], request)
    expect(outcome).toEqual({
      status: 'rejected',
      failure: { code: expect.stringMatching(/^invalid_/), reason: expect.any(String) },
    })
    expect(leaksIn(JSON.stringify(outcome), server.secrets)).toEqual([])
  })

  it('skips what is another’s', async () => {
    const foreign: Credential[] = [
      { scheme: 'Bearer', token: 'A'.repeat(43) },
      { scheme: 'Basic', username: 'B'.repeat(43), password: '' },
    ]
    for (const credential of foreign) {
      expect(await plugins[name].authenticate(credential, request)).toEqual({ status: 'skip' })
    }
  })

  it('never throws and never accepts, whatever is presented', async () => {
    const jwtLike = fc
      .array(fc.string({ unit: 'binary', maxLength: 40 }), { minLength: 3, maxLength: 3 })
      .map((parts) => parts.map((part) => Buffer.from(part).toString('base64url')).join('.'))
    const header = fc
      .jsonValue()
      .map((value) => `${Buffer.from(JSON.stringify(value)).toString('base64url')}.e30.AAAA`)
    const token = fc.oneof(fc.string(), fc.base64String(), jwtLike, header)
    const credential = fc.oneof(
      fc.record({ scheme: fc.constant('Bearer' as const), token }),
      fc.record({
        scheme: fc.constant('Basic' as const),
        // A name that could be a user's would only measure the password hash.
        username: fc.string({ minLength: 41 }),
        password: fc.string(),
      }),
    )
    await fc.assert(
      fc.asyncProperty(credential, async (presented) => {
        const outcome = await plugins[name].authenticate(presented, request)
        expect(['skip', 'rejected']).toContain(outcome.status)
      }),
      { numRuns: 200 },
    )
  })

  it('challenges in valid fields, with and without a failure', () => {
    const failures = [
      undefined,
      'invalid_token',
      'invalid_request',
      'invalid_credentials',
      'throttled',
    ] as const
    for (const code of failures) {
      const failure = code && { code, reason: 'a "reason"\r\nX: y' }
      for (const scheme of plugins[name].schemes) {
        const text = plugins[name].challenge(failure, scheme)
        expect(text).toMatch(challenge)
        expect(text.split(' ')[0]).toBe(scheme)
      }
    }
  })

  it('keeps no secret in any log line', () => {
    expect(leaksIn(server.log.text(), server.secrets)).toEqual([])
  })
})

describe('jwks-access-token and what only the issuer can know', () => {
  it('says who the token is for, and accepts it after revocation until it expires', async () => {
    const { 'jwks-access-token': plugin } = plugins
    const credential = good['jwks-access-token']
    const outcome = await plugin.authenticate(credential, request)
    expect(outcome).toMatchObject({
      principal: {
        kind: 'token',
        issuer: server.url,
        subject: 'alice',
        audience: `bob@${peer.host}`,
      },
    })
    server.clock.advance('1h')
    expect((await plugin.authenticate(credential, request)).status).toBe('rejected')
    server.clock.advance('-1h')
  })

  it.each([
    ['another audience', { audience: 'eve@other.example.org' }],
    ['another issuer', { issuer: 'https://other.example.org' }],
    ['a slash too many', { issuer: 'slash' }],
    ['no key', { jwks: { keys: [] } }],
  ])('rejects with %s', async (_name, change) => {
    const { keys } = server.services()
    const options = { issuer: server.url, jwks: (await keys.jwks()) as never, ...change }
    if (options.issuer === 'slash') options.issuer = `${server.url}/`
    const plugin = jwksAccessToken({ ...options, now: () => new Date(server.clock.now()) })
    const outcome = await plugin.authenticate(good['jwks-access-token'], request)
    expect(outcome).toMatchObject({ status: 'rejected', failure: { code: 'invalid_token' } })
  })

  it('finds the published keys of the issuer by itself', async () => {
    const now = () => new Date(server.clock.now())
    const plugin = jwksAccessToken({ issuer: server.url, now })
    const outcome = await plugin.authenticate(good['jwks-access-token'], request)
    expect(outcome.status).toBe('authenticated')
  })

  it.each([
    ['refuses connections', () => 'http://127.0.0.1:1/jwks'],
    ['answers 404', () => `${peer.url}/nothing`],
    ['answers what is no key set', () => `${peer.url}/.well-known/ocm`],
  ])('throws when the issuer %s: that is no fault of the token', async (_name, jwksUri) => {
    const plugin = jwksAccessToken({ issuer: server.url, jwksUri: jwksUri() })
    await expect(plugin.authenticate(good['jwks-access-token'], request)).rejects.toThrow()
  })
})

describe('the chain', () => {
  const fields = (...values: string[]) => values.flatMap((value) => ['Authorization', value])

  it('ends with the first plugin that rejects: a bad token is never tried as a secret', async () => {
    const asked: string[] = []
    const spy = sharedSecret({
      findShare: (text) => {
        asked.push(text)
        return Promise.resolve(undefined)
      },
    })
    const chain = createAuthChain([plugins['bearer-access-token'], spy])
    const { token = '' } = bad['bearer-access-token'] as { token?: string }
    const result = await chain.authenticate({ rawHeaders: fields(`Bearer ${token}`), ...request })
    expect(result).toMatchObject({ status: 'refused', failure: { code: 'invalid_token' } })
    expect(asked).toEqual([])
  })

  it('tells of every refused credential, and of none that was not presented', async () => {
    const told: string[] = []
    const chain = createAuthChain(
      Object.values(plugins),
      (plugin, { code }) => void told.push(`${plugin} ${code}`),
    )
    await chain.authenticate({ rawHeaders: [], ...request })
    expect(told).toEqual([])
    for (const value of ['Bearer x', 'Basic x', 'Bearer a b']) {
      await chain.authenticate({ rawHeaders: fields(value), ...request })
    }
    expect(told).toEqual(['chain invalid_token', 'chain invalid_request', 'chain invalid_request'])
  })

  it.each([
    ['bearer  A', 'Bearer'],
    ['BEARER A', 'Bearer'],
    ['basic YTpi', 'Basic'],
  ])('reads the scheme of "%s" in any case (RFC 9110 §11.1)', async (value, scheme) => {
    const seen: Credential[] = []
    const spy: AuthPlugin = {
      name: 'spy',
      schemes: ['Bearer', 'Basic'],
      challenge: () => 'Bearer realm="x"',
      authenticate: (credential) => {
        seen.push(credential)
        return Promise.resolve({ status: 'skip' })
      },
    }
    await createAuthChain([spy]).authenticate({ rawHeaders: fields(value), ...request })
    expect(seen.map((credential) => credential.scheme)).toEqual([scheme])
  })

  it('splits Basic at the first colon and keeps the rest (RFC 7617 §2)', async () => {
    const seen: Credential[] = []
    const basic = basicAppPassword({
      login: (username, password) => {
        seen.push({ scheme: 'Basic', username, password })
        return Promise.resolve({ status: 'wrong' })
      },
    })
    const value = `Basic ${Buffer.from('älice:pä:ss:').toString('base64')}`
    await createAuthChain([basic]).authenticate({ rawHeaders: fields(value), ...request })
    expect(seen).toEqual([{ scheme: 'Basic', username: 'älice', password: 'pä:ss:' }])
  })

  it('has one challenge for each scheme of its plugins, Bearer first', () => {
    const all = createAuthChain(Object.values(plugins)).challenges()
    expect(all).toEqual(['Bearer realm="davmesh"', 'Basic realm="davmesh"'])
    const tokensOnly = createAuthChain([plugins['bearer-access-token']]).challenges()
    expect(tokensOnly).toEqual(['Bearer realm="davmesh"'])
  })
})
