import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { loadConfig } from '../../src/config/index.ts'
import { followConfig } from '../../src/reload.ts'
import { request } from '../support/http-request.ts'
import { acceptanceOf, bring } from '../support/invites.ts'
import { offerOf } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

/** Many messages and commands take a while on a busy machine. */
jest.setTimeout(30_000)

let server: TestServer
let peer: IndependentPeer
/** Does not sign. */
let stub: IndependentPeer
let following: ReturnType<typeof followConfig>

beforeAll(async () => {
  server = await startServer()
  await addAlice(server)
  await server.addUser('marie')
  peer = await independentPeer()
  stub = await independentPeer({ flavour: 'ocm-stub' })
  const load = () => loadConfig({ file: server.configFile, environment: {} })
  following = followConfig(server.services(), load, { renewCertificate: () => undefined })
})

afterAll(async () => {
  following.stop()
  await Promise.all([peer.close(), stub.close(), server.close()])
})

async function configure(federation: unknown): Promise<void> {
  const content = JSON.parse(await readFile(server.configFile, 'utf8')) as object
  await writeFile(server.configFile, JSON.stringify({ ...content, federation }))
  following.reload()
}

beforeEach(() => configure({}))

const criteria = async () => (await request(`${server.url}/.well-known/ocm`)).json()['criteria']

const offer = async (from: IndependentPeer, how = {}) => {
  const offered = offerOf(server, from)
  const { status } = await from.offer(server, offered, how)
  const [share] = await server.services().incoming.findOffers(String(offered['providerId']))
  return [status, share?.state]
}
const offers = async () => [await offer(peer), await offer(stub, { unsigned: true })]

async function useInvite(): Promise<number> {
  const { invite } = await server.services().invites.create('alice')
  return (await bring(server, peer, acceptanceOf(peer, invite))).status
}

async function sharing(): Promise<string> {
  const { shares } = server.services()
  const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
  const share = await shares.createShare(wanted).catch((error: unknown) => error)
  return String((share as { code?: string }).code ?? (share as { strict: boolean }).strict)
}

async function passOn(): Promise<number> {
  const { id } = await shareWith(server, peer, { permissions: ['read', 'share'] })
  const notification = { shareWith: 'carol@third.example.org', shareType: 'user' }
  const told = { notificationType: 'REQUEST_RESHARE', resourceType: 'folder', providerId: id }
  return (await peer.notify(server, { ...told, notification })).status
}

const taken = [201, 'pending']
const open = { criteria: [], offers: [taken, taken], invite: 200, sharing: 'false', passOn: 403 }

/** What the running server says of itself and does, for all who may ask. */
const behaviour = async (isPeer = true) => ({
  criteria: await criteria(),
  offers: await offers(),
  invite: await useInvite(),
  sharing: await sharing(),
  ...(isPeer && { passOn: await passOn() }),
})

describe('a change of the federation settings while the server runs', () => {
  it.each<[string, () => object, object, boolean]>([
    [
      'deny',
      () => ({ deny: [peer.host] }),
      {
        criteria: ['denylist'],
        offers: [[403, undefined], taken],
        invite: 403,
        sharing: 'peer_denied',
      },
      false,
    ],
    [
      'allow',
      () => ({ allow: [stub.host] }),
      {
        criteria: ['allowlist'],
        offers: [[403, undefined], taken],
        invite: 403,
        sharing: 'peer_denied',
      },
      false,
    ],
    [
      'requireInvite',
      () => ({ requireInvite: true }),
      {
        criteria: ['must-invite'],
        offers: [
          [403, undefined],
          [403, undefined],
        ],
      },
      true,
    ],
    [
      'requireSignatures',
      () => ({ requireSignatures: true }),
      { criteria: ['must-use-http-sig'], offers: [taken, [401, undefined]] },
      true,
    ],
    [
      'requireTokenExchange',
      () => ({ requireTokenExchange: true }),
      {
        criteria: ['must-exchange-token'],
        offers: [
          [400, undefined],
          [400, undefined],
        ],
        sharing: 'true',
      },
      true,
    ],
    [
      'autoAccept',
      () => ({ autoAccept: [peer.host] }),
      { offers: [[201, 'accepted'], taken] },
      true,
    ],
    ['reshare', () => ({ reshare: true }), { passOn: 201 }, true],
  ])('%s: is what it says and does from then on, and can be taken back', async (...row) => {
    const [, federation, change, isPeer] = row
    expect(await behaviour()).toEqual(open)
    await configure(federation())
    const { passOn: unchanged, ...rest } = open
    const expected = { ...rest, ...(isPeer && { passOn: unchanged }), ...change }
    expect(await behaviour(isPeer)).toEqual(expected)
    await configure({})
    expect(await behaviour()).toEqual(open)
  })

  it('that cannot be read changes nothing, and is told to the operator', async () => {
    await configure({ deny: [peer.host] })
    const good = await readFile(server.configFile, 'utf8')
    const closed = { criteria: ['denylist'], offers: [[403, undefined], taken] }
    for (const broken of ['', '{', good.replace('"deny"', '"denny"'), good.replace('[', '')]) {
      server.log.clear()
      await writeFile(server.configFile, broken)
      following.reload()
      const [refusal] = server.log.entries().filter(({ level }) => level === 50)
      expect(refusal?.['msg']).toContain('the old one stays')
      expect(JSON.stringify(refusal?.['err'])).toContain('config')
      expect({ criteria: await criteria(), offers: await offers() }).toEqual(closed)
      expect(server.log.text()).not.toContain('federation.reloaded')
    }
    await writeFile(server.configFile, good)
  })
})
