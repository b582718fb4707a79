import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { armFault } from '../../src/core/index.ts'
import { openServices } from '../../src/services.ts'
import { readFixture } from '../support/fixtures.ts'
import { offerOf, type Offer } from '../support/offer.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

interface Reply {
  readonly status: number
  readonly body?: unknown
}

/** What the owner's server answers to the next notifications; `lost`: it hears, and nobody hears it. */
type Planned = Reply | 'lost' | Promise<Reply>

const carol = 'carol@third.example.org'
const granted: Reply = { status: 201, body: { token: 'only-for-the-end', providerId: '43' } }

let server: TestServer
let owner: IndependentPeer
/** Notifications as they came. */
let heard: Record<string, unknown>[]
let planned: Planned[]

beforeAll(async () => {
  server = await startServer({ courier: false })
  await server.addUser('marie')
  server.secrets.add('only-for-the-end')
})

afterAll(() => server.close())

beforeEach(async () => {
  heard = []
  planned = []
  owner = await independentPeer()
  owner.takeOver('/ocm/notifications', (req, res) => void answer(req, res))
})

afterEach(() => owner.close())

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  heard.push(JSON.parse(await text(req)) as Record<string, unknown>)
  const reply = (await planned.shift()) ?? { status: 201, body: {} }
  if (reply === 'lost') {
    res.destroy()
    return
  }
  const body = typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body ?? {})
  res.writeHead(reply.status, { 'content-type': 'application/json' }).end(body)
}

const services = () => server.services()
const types = () => heard.map((one) => one['notificationType'])

/** marie's accepted share of the owner's, of which nothing is left to be said. */
async function accepted(change: Offer = {}) {
  const secret = `secret-of-${randomUUID()}`
  server.secrets.add(secret)
  const webdav = { uri: `${owner.url}/remote/trip`, sharedSecret: secret }
  const multi = { name: 'multi', webdav: { ...webdav, permissions: ['read', 'share'] } }
  const options = { sharedSecret: secret }
  const protocol = change['protocol'] === 'classic' ? { name: 'webdav', options } : multi
  const offer = offerOf(server, owner, { ...change, protocol })
  expect((await owner.offer(server, offer)).status).toBe(201)
  const [row] = await services().incoming.findOffers(String(offer['providerId']), owner.host)
  const share = await services().incoming.accept(row?.id ?? '')
  heard.length = 0
  return { id: share.id, providerId: share.providerId, secret, share }
}

const passOn = (id: string, to = carol) => services().reshares.request('marie', id, to)

/** All that is due, now and later. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    server.clock.advance('2h')
    await services().outbox.runDue()
  }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let round = 0; round < 500 && !(await isSo()); round += 1) await sleep(10)
}

const owed = async () =>
  (await services().outbox.list())
    .filter(({ peer }) => peer === owner.host)
    .map(({ label, state }) => `${label} ${state}`)

describe('what the owner is asked', () => {
  const recorded = (
    readFixture('notifications/requests') as Record<string, Record<string, unknown>>
  )['nextcloud-request-reshare']

  it('is what Nextcloud asks', async () => {
    const { id, providerId, secret } = await accepted()
    planned = [granted]
    const reshare = await passOn(id)
    const asked = { sharedSecret: secret, shareWith: carol, senderId: reshare.id }
    const notification = { ...(recorded?.['notification'] as object), ...asked }
    expect(heard).toEqual([{ ...recorded, resourceType: 'folder', providerId, notification }])
  })

  it('has no secret for who takes signed messages only', async () => {
    owner.changeDiscovery({ criteria: ['must-use-http-sig'] })
    const { id } = await accepted()
    planned = [granted]
    await passOn(id)
    expect(heard[0]?.['notification']).not.toHaveProperty('sharedSecret')
    expect(heard[0]).toMatchObject({ notification: { shareWith: carol } })
  })

  it('is asked of who does not say what may be done', async () => {
    const { id, share } = await accepted({ protocol: 'classic' })
    planned = [granted]
    expect(share.permissions).toBeNull()
    expect((await passOn(id)).state).toBe('granted')
  })
})

describe('the answer', () => {
  const answers = readFixture('notifications/responses') as Record<string, Reply>

  it.each<[string, Reply | undefined, object]>([
    ['of Nextcloud', answers['nextcloud-201-reshare'], { state: 'granted', providerId: '43' }],
    ['with a number', { status: 201, body: { token: 'x', providerId: 43 } }, { providerId: '43' }],
    ['without a token', { status: 200, body: { providerId: '43' } }, { state: 'granted' }],
  ])('%s grants it', async (_name, reply, expected) => {
    const { id } = await accepted()
    planned = [reply ?? 'lost']
    expect(await passOn(id)).toMatchObject({ ...expected, problem: null })
    expect(await owed()).toEqual([])
  })

  it.each<[string, Reply | undefined, string]>([
    ['of reva, which takes all', answers['reva-201'], 'does not pass shares on'],
    ['of a kind nobody knows', { status: 201, body: { providerId: 'a\nb' } }, 'does not pass'],
    ['that is no object', { status: 201, body: [] }, 'does not pass shares on'],
    ['of Nextcloud without resharing', answers['nextcloud-501'], 'action not supported'],
    ['of ocmgo', { status: 400, body: { message: 'UNSUPPORTED' } }, 'answered 400: UNSUPPORTED'],
  ])('%s refuses it, in words', async (_name, reply, problem) => {
    const { id } = await accepted()
    planned = [reply ?? 'lost']
    expect(await passOn(id)).toMatchObject({
      state: 'refused',
      providerId: null,
      problem: expect.stringContaining(problem),
    })
    await settle()
    expect([types(), await owed()]).toEqual([['REQUEST_RESHARE'], ['REQUEST_RESHARE refused']])
  })

  it('that does not come is waited for', async () => {
    const { id } = await accepted()
    planned = [{ status: 503 }, granted]
    const reshare = await passOn(id)
    expect(reshare).toMatchObject({ state: 'requested', problem: expect.stringContaining('503') })
    await settle()
    const { reshares } = services()
    expect(await reshares.get(reshare.id)).toMatchObject({ state: 'granted', problem: null })
  })
})

it('waits for what another process is asking', async () => {
  const { id } = await accepted()
  let reply: ((reply: Reply) => void) | undefined
  planned = [{ status: 503 }, new Promise((resolve) => (reply = resolve))]
  const reshare = await passOn(id)
  server.clock.advance('2h')
  const asking = services().outbox.runDue()
  await until(() => heard.length === 2)
  const other = await openServices(services().config, server.log.log, { clock: server.clock })
  const sending = other.reshares.send(reshare.id)
  setTimeout(() => reply?.(granted), 200)
  expect(await sending).toMatchObject({ state: 'granted' })
  await Promise.all([asking, other.close()])
  expect(types()).toHaveLength(2)
})

describe('what is undone before the owner has answered', () => {
  const undone = { state: 'undone', problem: null }
  const undo = { notificationType: 'RESHARE_UNDO', providerId: '43' }

  it('was never asked for, or is', async () => {
    const { id } = await accepted()
    armFault('reshare.committed@1:throw', server.log.log)
    await expect(passOn(id)).rejects.toThrow('fault')
    const [reshare] = await services().reshares.list('marie')
    expect(await owed()).toEqual(['REQUEST_RESHARE waiting'])
    expect(await services().reshares.undo(reshare?.id ?? '')).toMatchObject(undone)
    await settle()
    expect([heard, await owed()]).toEqual([[], []])
  })

  it.each(['accepted', 'revoked'])('is asked for again if the answer was lost: %s', async (now) => {
    const { id } = await accepted()
    planned = ['lost', granted]
    const { state, id: reshareId } = await passOn(id)
    expect(state).toBe('requested')
    services().db.raw.writer.exec(`UPDATE incoming_shares SET state = '${now}' WHERE id = '${id}'`)
    expect(await services().reshares.undo(reshareId)).toMatchObject(undone)
    await settle()
    expect(types()).toEqual(['REQUEST_RESHARE', 'REQUEST_RESHARE', 'RESHARE_UNDO'])
    const notification = { sharedSecret: 'only-for-the-end', message: 'reshare was revoked' }
    expect([heard.at(-1), await owed()]).toMatchObject([{ ...undo, notification }, []])
  })

  it('is ended when the answer comes', async () => {
    const { id } = await accepted()
    let reply: ((reply: Reply) => void) | undefined
    planned = [new Promise((resolve) => (reply = resolve))]
    const asking = passOn(id)
    await until(() => heard.length > 0)
    const [reshare] = await services().reshares.list('marie')
    const undoing = services().reshares.undo(reshare?.id ?? '')
    await until(async () => (await services().reshares.list('marie'))[0]?.state === 'undone')
    reply?.(granted)
    await Promise.all([asking, undoing])
    await settle()
    expect(types()).toEqual(['REQUEST_RESHARE', 'RESHARE_UNDO'])
    expect([heard.at(-1), await owed()]).toEqual([expect.objectContaining(undo), []])
  })

  it('and wanted again comes after the end', async () => {
    const { id } = await accepted()
    planned = [granted, { status: 503 }, { status: 503 }, granted]
    const reshare = await passOn(id)
    await services().reshares.undo(reshare.id)
    expect(await passOn(id)).toMatchObject({ id: reshare.id, state: 'requested' })
    await settle()
    const ask = 'REQUEST_RESHARE'
    expect(types()).toEqual([ask, 'RESHARE_UNDO', 'RESHARE_UNDO', 'RESHARE_UNDO', ask])
  })

  it('is not spoken of when the share itself has ended', async () => {
    const { id } = await accepted()
    planned = [{ status: 503 }]
    const reshare = await passOn(id)
    await services().incoming.remove(id, { force: true })
    await settle()
    expect([types(), await owed()]).toEqual([['REQUEST_RESHARE'], []])
    expect(await services().reshares.get(reshare.id)).toMatchObject(undone)
  })
})

describe('the owner ends what it granted', () => {
  const undo = (providerId: string, sharedSecret?: string) => ({
    notificationType: 'RESHARE_UNDO',
    resourceType: 'file',
    providerId,
    ...(sharedSecret !== undefined && { notification: { sharedSecret, message: 'over' } }),
  })

  it.each(['its own id', 'ours, as Nextcloud does'])('by %s, again and again', async (which) => {
    const { id } = await accepted()
    planned = [granted]
    const reshare = await passOn(id)
    const notice = undo(which === 'its own id' ? '43' : reshare.id)
    for (const answer of [await owner.notify(server, notice), await owner.notify(server, notice)]) {
      expect([answer.status, answer.json()]).toEqual([201, {}])
    }
    const { reshares } = services()
    expect(await reshares.get(reshare.id)).toMatchObject({
      state: 'undone',
      endedAt: expect.any(Number),
    })
    expect(types()).toEqual(['REQUEST_RESHARE'])
  })

  it('and nobody else does', async () => {
    const { id, secret } = await accepted()
    planned = [granted]
    const reshare = await passOn(id)
    await using stranger = await independentPeer()
    const statuses = []
    for (const notice of [undo(reshare.id), undo(reshare.id, secret), undo('none')]) {
      statuses.push((await stranger.notify(server, notice)).status)
    }
    const forged = { signWith: stranger.key.privateKey }
    statuses.push((await owner.notify(server, undo(reshare.id), forged)).status)
    // It signs whatever it says, so that a secret alone is nothing.
    statuses.push((await owner.notify(server, undo(reshare.id, secret), { unsigned: true })).status)
    expect(statuses).toEqual([403, 403, 403, 401, 401])
    expect((await services().reshares.get(reshare.id)).state).toBe('granted')
  })

  it('by what it gave us for that, where it does not sign', async () => {
    owner.changeDiscovery({ capabilities: ['exchange-token'] })
    const { id } = await accepted()
    planned = [granted]
    const reshare = await passOn(id)
    const say = (secret: string) =>
      owner.notify(server, undo(reshare.id, secret), { unsigned: true })
    expect((await say('wrong')).status).toBe(403)
    expect((await services().reshares.get(reshare.id)).state).toBe('granted')
    expect((await say('only-for-the-end')).status).toBe(201)
    expect((await services().reshares.get(reshare.id)).state).toBe('undone')
  })
})

describe('nobody is asked', () => {
  it.each<[string, (there: IndependentPeer) => string, string]>([
    ['for the owner', ({ host }) => `einstein@${host}`, 'is the owner'],
    ["for somebody on the owner's server", ({ host }) => `niels@${host}`, "the owner's own server"],
    ['for oneself', () => `marie@${server.authority}`, 'on this very server'],
  ])('%s', async (_name, to, message) => {
    const { id } = await accepted()
    await expect(passOn(id, to(owner))).rejects.toMatchObject({
      code: 'reshare_bad_recipient',
      message: expect.stringContaining(message),
    })
    expect(heard).toEqual([])
  })

  it('for somebody on a denied server, or nowhere', async () => {
    const { id } = await accepted()
    await services().peers.setTrust('third.example.org', 'denied')
    await expect(passOn(id)).rejects.toMatchObject({ code: 'reshare_bad_recipient' })
    await services().peers.setTrust('third.example.org', null)
    await expect(passOn(id, 'carol')).rejects.toMatchObject({ code: 'bad_address' })
    expect(heard).toEqual([])
  })

  it('about what is not, or no more, or not yet among the shares of the user', async () => {
    const { id } = await accepted({ expiration: server.clock.seconds() + 60 })
    await server.addUser('niels')
    const { reshares, incoming } = services()
    const asked = (user: string) => reshares.request(user, id, carol)
    await expect(asked('niels')).rejects.toMatchObject({ code: 'reshare_not_found' })
    server.clock.advance('1h')
    await expect(asked('marie')).rejects.toMatchObject({ code: 'reshare_state' })
    await incoming.remove(id)
    await expect(asked('marie')).rejects.toMatchObject({ code: 'reshare_state' })
    expect(types()).toEqual(['SHARE_DECLINED'])
  })
})
