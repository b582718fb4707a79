import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { request as send } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { basic, bearer, davClient } from '../../support/dav-client.ts'
import type { Answer } from '../../support/http-request.ts'
import { steppedClock, withClock, type SteppedClock } from '../../support/server-shims.ts'
import { runCli } from '../../support/run-cli.ts'
import { peerStage, type PeerStage } from './peer-stage.ts'

jest.setTimeout(60_000)

const hour = 60 * 60_000

let peers: PeerStage
let clock: SteppedClock
let root: string

beforeAll(async () => {
  peers = await peerStage({
    limits: {
      login: { failures: 2, windowSeconds: 30 },
      token: { exchanges: 20, windowSeconds: 60 },
    },
  })
  clock = steppedClock(peers.stage.dataDir)
  await start()
  // The peer is known from now on, whatever the time.
  expect((await peers.offer()).status).toBe(201)
})

async function start(): Promise<void> {
  clock.step(0)
  await peers.stage.start(undefined, withClock(clock))
  root = `http://${peers.stage.process().address}`
}

beforeEach(() => clock.step(0))

afterAll(async () => {
  await peers[Symbol.asyncDispose]()
})

const steps = [
  ['two hours on', 2 * hour],
  ['two hours back', -2 * hour],
  ['a second back', -1000],
] as const

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype></D:lockinfo>'

const lock = (path: string, timeout: string): Promise<Answer> =>
  peers.stage.dav().call('LOCK', path, {
    headers: { 'content-type': 'text/xml', timeout },
    body: lockBody,
  })

const retryAfter = ({ headers }: Answer): number => Number(headers['retry-after'] ?? 1)

describe.each(steps)('R9: the clock steps %s', (_, step) => {
  // What is counted in memory is counted anew.
  beforeAll(start)

  it('tokens open what they may by the time it is, and all is well when the time is right', async () => {
    const { access_token: token } = (await peers.askToken()).json()
    const shared = davClient(`${root}/dav/ocm/`, bearer(String(token)))
    expect((await shared.get('beach.txt')).status).toBe(200)
    clock.step(step)
    // Ended, or not yet issued; a second is within what clocks differ by.
    expect((await shared.get('beach.txt')).status).toBe(Math.abs(step) < 60_000 ? 200 : 401)
    clock.step(0)
    expect((await shared.get('beach.txt')).status).toBe(200)
    clock.step(step)
    const fresh = await peers.askToken(clock.now())
    expect(Number(fresh.json()['expires_in'])).toBe(3600)
    const afresh = davClient(`${root}/dav/ocm/`, bearer(String(fresh.json()['access_token'])))
    expect((await afresh.get('beach.txt')).status).toBe(200)
  })

  it('signatures are judged by the time it is', async () => {
    clock.step(step)
    const isFar = Math.abs(step) >= 60_000
    expect((await peers.askToken()).status).toBe(isFar ? 401 : 200)
    expect((await peers.offer()).status).toBe(isFar ? 401 : 201)
    expect((await peers.offer(clock.now())).status).toBe(201)
  })

  it('locks end, and none lasts longer than any may', async () => {
    const name = `locked${step}.txt`
    await peers.stage.fill('', { [name]: 'x' })
    const dav = peers.stage.dav()
    expect((await lock(name, 'Infinite')).status).toBe(200)
    clock.step(step)
    expect((await dav.put(name, 'y')).status).toBe(423)
    expect((await lock(name, 'Second-60')).status).toBe(423)
    const { text } = await dav.propfind(name)
    expect(Number(/Second-(\d+)/.exec(text)?.[1])).toBeLessThanOrEqual(24 * 60 * 60)
    clock.step(step + 24 * hour + 1000)
    expect((await dav.put(name, 'z')).status).toBe(204)
  })

  it('nobody waits longer after failed logins than after the last of them', async () => {
    const guess = (): Promise<Answer> =>
      davClient(`${root}/dav/files/alice/`, basic(`nobody${step}`.replace('-', 'x'), 'wrong')).get()
    for (const status of [401, 401, 429]) expect((await guess()).status).toBe(status)
    clock.step(step)
    const after = await guess()
    expect([401, 429]).toContain(after.status)
    expect(retryAfter(after)).toBeGreaterThanOrEqual(1)
    // What the clock was set back by a second is a second more.
    expect(retryAfter(after)).toBeLessThanOrEqual(31)
    clock.step(step + 31_000)
    if (step > 0) expect((await guess()).status).toBe(401)
  })

  it('no wait for the next exchange is longer than the window, or negative', async () => {
    let answer = await peers.askToken()
    for (let count = 0; count < 20 && answer.status === 200; count += 1)
      answer = await peers.askToken()
    clock.step(step)
    answer = await peers.askToken(clock.now())
    expect([200, 429]).toContain(answer.status)
    expect(retryAfter(answer)).toBeGreaterThanOrEqual(1)
    expect(retryAfter(answer)).toBeLessThanOrEqual(60)
  })

  it('what runs goes on: an upload, and what is owed to others', async () => {
    const { hostname, port } = new URL(root)
    const path = `/dav/files/alice/slow${Math.abs(step)}.txt`
    const headers = { authorization: peers.stage.dav().authorization ?? '', 'content-length': 8 }
    const upload = send({ hostname, port, path, method: 'PUT', headers })
    const status = new Promise((resolve, reject) => {
      upload.on('response', (answer) => resolve(answer.resume().statusCode)).on('error', reject)
    })
    upload.write('half')
    await sleep(50)
    clock.step(step)
    upload.end('more')
    expect([201, 204]).toContain(await status)
  })
})

it('R9: what is owed is sent though the clock was set back while it waited', async () => {
  const { stage, peer } = peers
  const flags = ['--config', stage.configFile]
  peer.replyToShares({ status: 503 })
  const wish = ['alice', '/Holiday', `carol@${peer.host}`, '--json', ...flags]
  const before = peer.shares.length
  await runCli(['share', 'create', ...wish], { cwd: stage.dataDir })
  expect(peer.shares).toHaveLength(before + 1)
  clock.step(-2 * hour)
  while (peer.shares.length === before + 1) await sleep(50)
})
