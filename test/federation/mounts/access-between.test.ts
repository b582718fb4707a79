import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { text } from 'node:stream/consumers'
import type { RemoteRequest } from '../../../src/mounts/remote-call.ts'
import { federation, settle, type Federation, type Member } from '../../support/federation.ts'
import { pairOf } from '../../support/pair.ts'
import { leaksIn } from '../../support/secrets.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

let net: Federation
let alices: Member
let bobs: Member
let pair: ReturnType<typeof pairOf>

beforeAll(async () => {
  net = await federation(2, { outbound: { timeoutMs: 3000 } })
  ;[alices, bobs] = net.members as [Member, Member]
  pair = pairOf(alices, bobs)
})

afterAll(() => net.close())

beforeEach(() => net.heal())

interface Held {
  /** The owner's id. */
  readonly id: string
  /** The recipient's. */
  readonly received: string
  ask(request?: Partial<RemoteRequest>): Promise<[status: number, text: string]>
  /** What is in the file. */
  read(): Promise<string>
}

/** A share of alice's that bob has accepted. */
async function held(wanted: { strict?: boolean; path?: string } = {}): Promise<Held> {
  const { id } = await alices.services().shares.createShare({
    owner: 'alice',
    path: '/Holiday',
    permissions: ['read', 'write'],
    recipient: bobs.address,
    ...wanted,
  })
  const { id: received } = await pair.accept(id)
  const call = bobs.services().access.open({ id: received })
  const ask: Held['ask'] = async (request = {}) => {
    const { status, body } = await call({ method: 'GET', path: ['beach.txt'], ...request })
    return [status, await text(body)]
  }
  return { id, received, ask, read: async () => (await ask())[1] }
}

/** How often alice's server was asked for a token. */
const exchanges = (): number =>
  alices.proxy.passages.filter(({ path }) => path === '/ocm/token').length

describe('between two davmesh servers', () => {
  it.each([true, false])(
    'a share (strict: %s) is read and written, by one token',
    async (strict) => {
      const share = await held({ strict })
      expect(await share.read()).toBe('sun and sand')
      const put = { method: 'PUT', path: ['wrote.txt'], body: 'from bob' }
      expect((await share.ask(put))[0]).toBeLessThan(205)
      expect(await share.ask({ path: ['wrote.txt'] })).toEqual([200, 'from bob'])
      expect((await share.ask({ path: ['none.txt'] }))[0]).toBe(404)
      expect(exchanges()).toBe(1)
    },
  )

  it('a file is its own root', async () => {
    const share = await held({ path: '/Holiday/beach.txt' })
    expect(await share.ask({ path: [] })).toEqual([200, 'sun and sand'])
  })

  it('a token is asked for again when it has ended, was taken back, or its key was', async () => {
    const { keys, tokens } = alices.services()
    const share = await held({ strict: true })
    await share.read()
    net.clock.advance('2h')
    expect(await share.read()).toBe('sun and sand')
    expect(exchanges()).toBe(2)

    for (const { jti } of await tokens.listTokens(share.id)) await tokens.revokeToken(jti)
    expect(await share.read()).toBe('sun and sand')
    expect(exchanges()).toBe(3)

    const [old] = (await keys.list()).filter(({ state }) => state === 'active')
    await keys.activate((await keys.generate('ES256')).kid)
    await keys.retire(old?.kid ?? '')
    expect(await share.read()).toBe('sun and sand')
    expect(exchanges()).toBe(4)
  })

  it('a share that was taken back, which nobody could tell, is closed and then gone', async () => {
    const share = await held({ strict: true })
    await share.read()
    bobs.proxy.always((path) => (path === '/ocm/notifications' ? 'reset' : undefined))
    await pair.revoke(share.id)
    await expect(share.read()).rejects.toMatchObject({ code: 'share_closed' })
    expect(await pair.states(share.id)).toEqual(['revoked', ['revoked']])
    net.heal()
    await settle(net.members, net.clock)
    expect(await pair.states(share.id)).toEqual(['revoked', ['removed']])
    await expect(share.read()).rejects.toMatchObject({ code: 'share_closed' })
  })

  it('secrets and tokens are in no log', async () => {
    const share = await held({ strict: true })
    await share.read()
    const { sealed_access_token: sealed } = bobs
      .services()
      .db.raw.reader.prepare('SELECT sealed_access_token FROM incoming_shares WHERE id = ?')
      .get(share.received) as { sealed_access_token: Buffer }
    expect(sealed.toString('latin1')).not.toMatch(/eyJ/)
    for (const { log, secrets } of [alices, bobs]) {
      expect(leaksIn(log.text(), secrets)).toEqual([])
      expect(log.text()).not.toMatch(/eyJ[A-Za-z0-9_-]+\.eyJ/)
    }
  })
})
