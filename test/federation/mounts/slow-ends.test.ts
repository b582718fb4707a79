import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'
import { endlessDownload } from '../../support/peer/dav-misdeeds.ts'
import type { Hostile } from '../../support/peer/independent-peer.ts'

jest.setTimeout(60_000)

let stage: MountStage
let mount: Awaited<ReturnType<MountStage['mount']>>

beforeAll(async () => {
  const transfers = { stalledSeconds: 6, idleSeconds: 1 }
  stage = await mountStage({ config: { limits: { transfers } } })
  mount = await stage.mount()
})

afterAll(() => stage.close())

const head = (method: string, path: string, fields = ''): string => {
  const { host } = new URL(stage.server.url)
  return (
    `${method} /dav/files/bob/${path} HTTP/1.1\r\nHost: ${host}\r\n` +
    `Authorization: ${stage.files.authorization ?? ''}\r\n${fields}\r\n`
  )
}

function ask(text: string) {
  const { hostname, port } = new URL(stage.server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  socket.write(text)
  return socket
}

/** Who waits for a connection is told to come again; each time so much later. */
async function untilServed(later: '1m' | '31m'): Promise<void> {
  mount.sender.behave()
  let status = 503
  while (status === 503) {
    stage.clock.advance(later)
    status = (await stage.files.get(`${mount.path}/ten.txt`)).status
  }
  expect(status).toBe(200)
}

describe('clients that stop reading', () => {
  it('keep all connections to a sender no longer than they may', async () => {
    mount.sender.misbehave(endlessDownload, 'GET')
    const stalled = Array.from({ length: 32 }, () =>
      ask(head('GET', `${mount.path}/ten.txt`)).pause(),
    )
    while ((await mount.sender.connections()) < 32) await sleep(20)
    await untilServed('1m')
    for (const socket of stalled) socket.destroy()
  })
})

describe('a copy from a sender to the own files', () => {
  let destination: string
  beforeAll(() => {
    destination = `${stage.server.url}/dav/files/bob/arrived`
  })
  const copied = async () => (await stage.files.propfind('arrived')).status
  let sending = false
  const isSending = (): boolean => sending
  const sends =
    (part: string): Hostile =>
    (_req, res) => {
      sending = true
      res.writeHead(200, { etag: '"a"', 'content-length': '100000000' })
      const parts = setInterval(() => res.write(part), 50)
      res.on('close', () => {
        clearInterval(parts)
        sending = false
      })
    }

  it('ends when the sender only drips', async () => {
    await untilServed('31m')
    mount.sender.misbehave(sends('x'), 'GET')
    const answer = await stage.files.call('COPY', `${mount.path}/ten.txt`, {
      headers: { destination },
    })
    expect(answer.status).toBe(504)
    expect(await copied()).toBe(404)
  })

  it('ends when the client leaves', async () => {
    await untilServed('31m')
    mount.sender.misbehave(sends('x'.repeat(10_000)), 'GET')
    const socket = ask(head('COPY', `${mount.path}/ten.txt`, `Destination: ${destination}\r\n`))
    while (!isSending()) await sleep(20)
    await sleep(100)
    socket.destroy()
    while (isSending()) await sleep(20)
    expect(await copied()).toBe(404)
  })

  it('ends when the client leaves before the sender answers', async () => {
    await untilServed('31m')
    const begin = sends('x'.repeat(10_000))
    const asked = new Promise<void>((resolve) => {
      mount.sender.misbehave((req, res) => {
        resolve()
        setTimeout(() => {
          if (!res.destroyed) begin(req, res)
        }, 200)
      }, 'GET')
    })
    const socket = ask(head('COPY', `${mount.path}/ten.txt`, `Destination: ${destination}\r\n`))
    await asked
    socket.destroy()
    await sleep(500)
    while (isSending()) await sleep(20)
    expect(await copied()).toBe(404)
  })
})
