import { describe, expect, it, jest } from '@jest/globals'
import type { Events } from '../../../src/core/index.ts'
import { inTransaction } from '../../../src/db/index.ts'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

/** The facts of one name that a server told since. */
function listen<Name extends keyof Events>({ server }: AccessStage, name: Name): Events[Name][] {
  const heard: Events[Name][] = []
  server.services().events.onAny((event, fact) => {
    if (event === name) heard.push(fact as Events[Name])
  })
  return heard
}

const refuseTokens = ({ sending }: AccessStage): void => sending.accepts.clear()

const closed = { code: 'share_closed', kind: 'forbidden' }

describe('an access token', () => {
  it.each([
    [3600, '3239s', '2s'],
    [200, '169s', '2s'],
    [40, '19s', '2s'],
  ])('that lives %i s is used for %s and no longer', async (life, used, over) => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.sending.lifeSeconds = life
    await stage.ask()
    stage.server.clock.advance(used)
    await stage.ask()
    expect(stage.sending.asked).toHaveLength(1)
    stage.server.clock.advance(over)
    await stage.ask()
    expect(stage.sending.asked).toHaveLength(2)
  })

  it('is not trusted when the clock was set back', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    await stage.ask()
    stage.server.clock.advance('-2h')
    await stage.ask()
    expect(stage.sending.asked).toHaveLength(2)
  })

  it('that has ended is exchanged once for 1,000 requests at a time', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    await stage.ask()
    const exchanged = listen(stage, 'access.exchanged')
    stage.server.clock.advance('2h')
    refuseTokens(stage)
    const asked = Array.from({ length: 1000 }, () => stage.ask({ method: 'GET', path: ['a'] }))
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([207]))
    expect([stage.sending.asked.length, stage.sending.seen.length]).toEqual([2, 1001])
    expect(exchanged).toEqual([
      { incomingId: stage.id, peer: stage.sending.peer.host, seconds: 3600 },
    ])
  })

  it('that its sender forgot is exchanged once for 100 requests at a time, and all go on', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    await stage.ask()
    refuseTokens(stage)
    const asked = Array.from({ length: 100 }, () => stage.ask())
    const statuses = (await Promise.all(asked)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([207]))
    expect(stage.sending.asked).toHaveLength(2)
  })
})

describe('a sender that refuses every token', () => {
  it('is asked twice, then left alone for a minute; its user is told', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { server, sending } = stage
    sending.answerWebdav(() => ({ status: 401, body: 'no' }))
    const refused = listen(stage, 'access.refused')
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect([sending.asked.length, sending.seen.length]).toEqual([2, 2])
    expect(stage.row()).toMatchObject({
      state: 'accepted',
      problem: expect.stringContaining(sending.peer.host),
      problem_at: server.clock.now(),
    })
    expect(refused).toEqual([
      { incomingId: stage.id, peer: sending.peer.host, reason: 'webdav: 401' },
    ])
    server.clock.advance('59s')
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect([sending.asked.length, sending.seen.length]).toEqual([2, 2])

    const since = stage.row()['problem_at']
    server.clock.advance('2s')
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect(stage.row()['problem_at']).toBe(since)
    server.clock.advance('61s')
    const restored = listen(stage, 'access.restored')
    sending.answerWebdav(undefined)
    expect((await stage.ask()).status).toBe(207)
    expect(stage.row()).toMatchObject({ problem: null, problem_at: null, access_retry_at: null })
    expect(restored).toEqual([{ incomingId: stage.id, peer: sending.peer.host }])
  })

  it('is told of at once by others that wait', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.sending.answerWebdav(() => ({ status: 401, body: 'no' }))
    const asked = Array.from({ length: 50 }, () => stage.ask().catch((error: unknown) => error))
    for (const outcome of await Promise.all(asked)) expect(outcome).toMatchObject(closed)
  })

  it('is not left alone for longer because the clock was set back', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.sending.answerWebdav(() => ({ status: 401, body: 'no' }))
    await expect(stage.ask()).rejects.toMatchObject(closed)
    stage.sending.answerWebdav(undefined)
    stage.server.clock.advance('-1d')
    expect((await stage.ask()).status).toBe(207)
  })
})

describe('a 401 for one thing alone', () => {
  const onlyTheRoot = (stage: AccessStage): void =>
    stage.sending.answerWebdav(({ path }) =>
      path === '/remote/trip' ? undefined : { status: 401, body: 'not this' },
    )

  it('becomes 403, and the share stays open', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    onlyTheRoot(stage)
    expect((await stage.ask({ method: 'DELETE', path: ['a.txt'] })).status).toBe(403)
    expect(stage.row()).toMatchObject({ problem: null, access_retry_at: null })
    expect((await stage.ask()).status).toBe(207)
  })
})

describe('a sender that takes a share back without a word', () => {
  const invalidGrant = { status: 400, body: { error: 'invalid_grant' } }

  async function revoked(): Promise<AccessStage> {
    const stage = await accessStage({ arm: 'strict' })
    await stage.ask()
    refuseTokens(stage)
    stage.sending.replyToExchange(invalidGrant)
    await expect(stage.ask()).rejects.toMatchObject(closed)
    return stage
  }

  it('is never called again, and the user is told why', async () => {
    await using stage = await revoked()
    const { sending, server } = stage
    const row = stage.row()
    expect(row).toMatchObject({ state: 'revoked', sealed_access_token: null, mount_name: 'Trip' })
    expect(row['sealed_secret']).not.toBeNull()
    const calls = sending.peer.requests.length
    server.clock.advance('30d')
    await expect(stage.ask()).rejects.toMatchObject({ ...closed, message: row['problem'] })
    expect(sending.peer.requests).toHaveLength(calls)
  })

  it('is asked again by "received retry", and the share may come back', async () => {
    await using stage = await revoked()
    const { incoming } = stage.server.services()
    stage.sending.replyToExchange(invalidGrant)
    expect(await incoming.retry(stage.id)).toMatchObject({ state: 'revoked' })
    expect(await incoming.retry(stage.id)).toMatchObject({ state: 'accepted', problem: null })
    expect((await stage.ask()).status).toBe(207)
  })

  it('is not forgotten while the user still has the share', async () => {
    await using stage = await revoked()
    const { outbox, peers } = stage.server.services()
    await outbox.deliverNow(stage.id)
    const forgetting = peers.forget(stage.sending.peer.host)
    await expect(forgetting).rejects.toMatchObject({ code: 'peer_in_use' })
  })

  it('is told when the user gives the share back', async () => {
    await using stage = await revoked()
    expect(await stage.server.services().incoming.decline(stage.id)).toMatchObject({
      state: 'declined',
    })
  })

  it('refuses the password of an optional share too: then it is over', async () => {
    await using stage = await accessStage()
    stage.sending.replyToExchange(invalidGrant)
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect(stage.row()).toMatchObject({ state: 'revoked' })
    expect(stage.tried().map((text) => text.split(' ')[0])).toEqual(['Bearer', 'Basic'])
  })
})

describe('"received retry"', () => {
  it('says that a sender cannot be reached, and forgets it when it can', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { sending, server } = stage
    const { incoming } = server.services()
    sending.replyToExchange({ status: 503 })
    const share = await incoming.retry(stage.id)
    expect(share.problem).toContain('cannot be reached')
    expect(await incoming.retry(stage.id)).toMatchObject({ problem: null })
  })

  it('does not wait for the end of a rest, of the share or of its sender', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { incoming } = stage.server.services()
    stage.sending.answerWebdav(() => ({ status: 500, body: 'broken' }))
    for (let time = 0; time < 5; time += 1) await stage.ask()
    await expect(stage.ask()).rejects.toMatchObject({ retryAfterSeconds: 30 })
    stage.sending.answerWebdav(() => ({ status: 401, body: 'no' }))
    expect((await incoming.retry(stage.id)).problem).toContain('does not let us in')
    stage.sending.answerWebdav(undefined)
    expect(await incoming.retry(stage.id)).toMatchObject({ problem: null })
  })

  it('says so when it is we who do not want the sender', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { incoming, peers } = stage.server.services()
    const { host } = stage.sending.peer
    await peers.setTrust(host, 'denied')
    expect((await incoming.retry(stage.id)).problem).toContain('does not work with')
    await peers.setTrust(host, null)
    expect(await incoming.retry(stage.id)).toMatchObject({ state: 'accepted', problem: null })
  })

  it.each([
    [404, 'not there'],
    [410, 'not there'],
    [403, 'does not let us in'],
    [429, 'cannot be reached'],
    [503, 'cannot be reached'],
  ])('says so when the sender answers %i, until it answers better', async (status, problem) => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.sending.answerWebdav(() => ({ status, body: 'nothing' }))
    const { incoming } = stage.server.services()
    expect((await incoming.retry(stage.id)).problem).toContain(problem)
    await stage.ask()
    expect(stage.row()['problem']).toContain(problem)
    stage.sending.answerWebdav(undefined)
    await stage.ask()
    expect(stage.row()).toMatchObject({ problem: null, problem_at: null })
  })

  it('does not restore what ended while it was asked', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { db, incoming } = stage.server.services()
    stage.sending.replyToExchange({ status: 503 })
    await incoming.retry(stage.id)
    const restored = listen(stage, 'access.restored')
    stage.sending.answerWebdav(() => {
      db.raw.writer.exec("UPDATE incoming_shares SET state = 'revoked', problem = 'taken back'")
      return undefined
    })
    await stage.ask()
    expect(stage.row()).toMatchObject({ state: 'revoked', problem: 'taken back' })
    expect(restored).toEqual([])
  })
})

describe('a share that is none any more', () => {
  it.each([
    ['given back', ({ server, id }: AccessStage) => server.services().incoming.decline(id)],
    ['removed', ({ server, id }: AccessStage) => server.services().incoming.remove(id)],
    [
      'taken back',
      async ({ server, sending, row }: AccessStage) => {
        const { db, incoming } = server.services()
        const rows = await incoming.findOffers(String(row()['provider_id']), sending.peer.host)
        await inTransaction(db, (tx) => incoming.endBySender(tx, rows))
      },
    ],
  ])('(%s) asks nobody, even in the middle of an exchange', async (_, end) => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.sending.duringExchange(async () => {
      await end(stage)
    })
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect(stage.row()).toMatchObject({ sealed_access_token: null, sealed_secret: null })
    const calls = stage.sending.asked.length
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect([stage.sending.asked.length, stage.sending.seen]).toEqual([calls, []])
  })

  it('(expired) asks nobody', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    stage.server.clock.advance('1s')
    const { db } = stage.server.services()
    db.raw.writer.prepare('UPDATE incoming_shares SET expires_at = ?').run(stage.server.clock.now())
    const expired = { ...closed, message: expect.stringContaining('expired') }
    await expect(stage.ask()).rejects.toMatchObject(expired)
    expect(stage.sending.asked).toEqual([])
  })

  it('(its sender is denied) asks nobody', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    await stage.server.services().peers.setTrust(stage.sending.peer.host, 'denied')
    await expect(stage.ask()).rejects.toMatchObject(closed)
    expect(stage.sending.asked).toEqual([])
  })
})
