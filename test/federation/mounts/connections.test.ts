import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { liveMib } from '../../support/live-memory.ts'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'
import {
  badDownloads,
  badLists,
  endlessDownload,
  silences,
} from '../../support/peer/dav-misdeeds.ts'
import type { Hostile } from '../../support/peer/independent-peer.ts'

jest.setTimeout(60_000)

let stage: MountStage
let mount: Awaited<ReturnType<MountStage['mount']>>

beforeAll(async () => {
  stage = await mountStage()
  mount = await stage.mount()
})

afterAll(() => stage.close())

/** Waits until only what is kept for the next request is open. */
async function untilClosed(kept: number): Promise<void> {
  while ((await mount.sender.connections()) > kept) await sleep(20)
}

/** R10: whatever a sender does, nothing of it stays. */
describe('connections to a sender', () => {
  it.each(Object.entries({ ...silences, ...badLists, ...badDownloads }))(
    'are closed after %s',
    async (_, by) => {
      mount.sender.behave()
      stage.clock.advance('31m')
      expect((await stage.files.get(`${mount.path}/ten.txt`)).status).toBe(200)
      mount.sender.misbehave(by)
      const ask = [
        stage.files.propfind(`${mount.path}/`, '1'),
        stage.files.get(`${mount.path}/ten.txt`),
      ]
      await Promise.allSettled(ask)
      await untilClosed(2)
    },
  )

  it('are closed when the client goes in the middle of a download', async () => {
    mount.sender.behave()
    stage.clock.advance('31m')
    await stage.files.get(`${mount.path}/ten.txt`)
    mount.sender.misbehave(endlessDownload, 'GET')
    const { hostname, port } = new URL(stage.server.url)
    const socket = connect(Number(port), hostname)
    const head = `GET /dav/files/bob/${mount.path}/ten.txt HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`
    socket.write(`${head}Authorization: ${stage.files.authorization ?? ''}\r\n\r\n`)
    let size = 0
    await new Promise<void>((done) => {
      socket.on('data', (chunk) => {
        size += chunk.length
        if (size > 1_000_000) done()
      })
    })
    socket.destroy()
    await untilClosed(2)
  })

  it('stop when the client reads no further', async () => {
    mount.sender.behave()
    stage.clock.advance('31m')
    mount.sender.misbehave(endlessDownload, 'GET')
    const before = liveMib()
    const { hostname, port } = new URL(stage.server.url)
    const socket = connect(Number(port), hostname)
    socket.pause()
    const head = `GET /dav/files/bob/${mount.path}/ten.txt HTTP/1.1\r\nHost: ${hostname}:${port}\r\n`
    socket.write(`${head}Authorization: ${stage.files.authorization ?? ''}\r\n\r\n`)
    await sleep(1500)
    expect(liveMib() - before).toBeLessThan(64)
    expect((await stage.files.get('own.txt')).text).toBe('my own')
    socket.destroy()
    await untilClosed(2)
  })

  it('that are all in use are not held against the sender', async () => {
    mount.sender.behave()
    stage.clock.advance('31m')
    expect((await stage.files.get(`${mount.path}/ten.txt`)).status).toBe(200)
    const running = new Set<unknown>()
    const drips: Hostile = (_req, res) => {
      running.add(res.writeHead(200, { etag: '"a"', 'content-length': '10000000' }))
      const drops = setInterval(() => res.write('x'), 50)
      res.on('close', () => clearInterval(drops))
    }
    mount.sender.misbehave(drips, 'GET')
    const leaving = new AbortController()
    const { signal } = leaving
    const headers = { authorization: stage.files.authorization ?? '' }
    const url = `${stage.server.url}/dav/files/bob/${mount.path}/ten.txt`
    await Promise.all(Array.from({ length: 32 }, () => fetch(url, { headers, signal })))
    expect(running.size).toBe(32)
    const more = Array.from({ length: 6 }, () => stage.files.get(`${mount.path}/ten.txt`))
    expect((await Promise.all(more)).map(({ status }) => status)).toEqual(Array(6).fill(503))
    expect((await stage.files.propfind(`${mount.path}/`, '1')).status).toBe(207)
    leaving.abort()
    await untilClosed(2)
  })
})
