import { expect, it, jest } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { startDavmesh } from '../../interop/support/davmesh.ts'
import { openShare } from '../../interop/support/open-share.ts'
import { basic, bearer, davClient, hrefsOf } from '../../support/dav-client.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { serveProcess } from '../../support/run-cli.ts'
import { accessStage } from '../../support/sending-peer.ts'
import { until } from './stage.ts'

jest.setTimeout(60_000)

/** Kept open; the primary deals connections out in turn, so every worker has some. */
const agents = (count: number): Agent[] =>
  Array.from({ length: count }, () => new Agent({ keepAlive: true, maxSockets: 1 }))

it('a revoked share and a revoked token are refused by every worker within a second', async () => {
  const davmesh = await startDavmesh({ workers: 2 })
  const peer = await independentPeer()
  const all = agents(6)
  try {
    await davmesh.addUser('alice')
    const one = await openShare(davmesh, peer, { owner: 'alice', path: '/' })
    const other = await openShare(davmesh, peer, { owner: 'alice', path: '/' })
    const clientsOf = (token: string) =>
      all.map((agent) => davClient(`${davmesh.url}/dav/ocm/`, bearer(token), agent))
    const statuses = (token: string) =>
      Promise.all(clientsOf(token).map(async (dav) => (await dav.propfind('', '0')).status))
    const allAre = (status: number) => (found: number[]) => found.every((it) => it === status)
    expect(await statuses(one.accessToken)).toEqual(all.map(() => 207))
    expect(await statuses(other.accessToken)).toEqual(all.map(() => 207))

    await davmesh.cli('share', 'revoke', one.id)
    const refused = async () => allAre(401)(await statuses(one.accessToken))
    await until(refused, 'the end of the share', 1000)

    const { jti } = JSON.parse(
      Buffer.from(other.accessToken.split('.')[1] ?? '', 'base64url').toString(),
    ) as { jti: string }
    await davmesh.cli('token', 'revoke', jti)
    await until(async () => allAre(401)(await statuses(other.accessToken)), 'its end', 1000)
  } finally {
    for (const agent of all) agent.destroy()
    await davmesh.stop()
    await peer.close()
  }
})

it('R11: two workers with 50 requests exchange an expired token once', async () => {
  const clock = fakeClock(Date.now() - 2 * 60 * 60_000)
  await using stage = await accessStage({ arm: 'strict', server: { clock } })
  const { sending, server } = stage
  await stage.ask()
  sending.accepts.clear()
  sending.asked.length = 0
  sending.duringExchange(() => sleep(300))
  sending.answerWebdav(({ path }) => ({ status: 207, body: collection(path), headers: xml }))
  const { password } = await server.services().users.addAppPassword('marie', { label: 'test' })
  const config = JSON.parse(readFileSync(server.configFile, 'utf8')) as Record<string, unknown>
  writeFileSync(server.configFile, JSON.stringify({ ...config, workers: 2 }))
  const args = ['--config', server.configFile, '--listen', '127.0.0.1:0']
  await using served = await serveProcess(args, { cwd: server.dir })

  const root = `http://${served.address}/dav/files/marie/Shared/`
  const all = agents(10)
  const listing = await davClient(root, basic('marie', password)).propfind('', '1')
  const [, mount = ''] = hrefsOf(listing)
  const clients = all.map((agent) =>
    davClient(`http://${served.address}${mount}`, basic('marie', password), agent),
  )
  const answers = await Promise.all(
    clients.flatMap((dav) => Array.from({ length: 5 }, () => dav.propfind('', '0'))),
  )
  for (const agent of all) agent.destroy()
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([207]))
  expect(sending.asked).toHaveLength(1)
  const workers = served.err().match(/"worker":\d+/g) ?? []
  expect(new Set(workers).size).toBe(2)
})

const xml = { 'content-type': 'application/xml' }

const collection = (path: string): string =>
  `<D:multistatus xmlns:D="DAV:"><D:response><D:href>${path}</D:href><D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>`
