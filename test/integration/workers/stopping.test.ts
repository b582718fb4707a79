import { describe, expect, it, jest } from '@jest/globals'
import { existsSync, readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { request as ask } from '../../support/http-request.ts'
import type { CrashStage } from '../crash/stage.ts'
import { childrenOf, until, workersStage } from './stage.ts'

jest.setTimeout(60_000)

const size = 8 * 1024 * 1024

/** An upload that goes on when it is told to. */
interface Upload {
  readonly call: ClientRequest
  readonly status: Promise<number | 'cut'>
}

function startUpload(stage: CrashStage, path: string): Upload {
  const call = openCall(stage, 'PUT', path, { 'content-length': String(size) })
  const status = new Promise<number | 'cut'>((resolve) => {
    call.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    call.on('error', () => resolve('cut'))
  })
  call.write(Buffer.alloc(size / 2))
  return { call, status }
}

interface Download {
  readonly response: IncomingMessage
  /** How many bytes came, once it is over. */
  readonly received: Promise<number>
}

/** A download whose client reads on when it is told to. */
async function startDownload(stage: CrashStage, path: string): Promise<Download> {
  const call = openCall(stage, 'GET', path)
  call.on('error', () => undefined)
  call.end()
  const response = await new Promise<IncomingMessage>((resolve) => call.on('response', resolve))
  let count = 0
  const received = new Promise<number>((resolve) => {
    response.on('close', () => resolve(count)).on('error', () => undefined)
  })
  response.on('data', (chunk: Buffer) => (count += chunk.length))
  response.pause()
  return { response, received }
}

function openCall(
  stage: CrashStage,
  method: string,
  path: string,
  fields: Record<string, string> = {},
): ClientRequest {
  const { hostname, port } = new URL(`http://${stage.process().address}`)
  const authorization = stage.dav().authorization ?? ''
  return request({
    agent: false,
    hostname,
    port,
    method,
    path: `/dav/files/alice/${path}`,
    headers: { authorization, ...fields },
  })
}

const isRefused = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(`http://${address}`)
    const socket = connect(Number(port), hostname)
    socket.on('connect', () => {
      socket.destroy()
      resolve(false)
    })
    socket.on('error', () => resolve(true))
  })

const ten = <Result>(work: (index: number) => Result): Result[] =>
  Array.from({ length: 10 }, (_, index) => work(index))

const temporaries = ({ home }: CrashStage): string[] =>
  readdirSync(home).filter((name) => name.startsWith('.davmesh-'))

/** A port that was free a moment ago. */
const adminPort = (workers: number): number => 20_000 + ((process.pid * 2 + workers) % 10_000)

describe.each([1, 2])('R14: a stop while %s process(es) work', (workers) => {
  it('lets half end, cuts the rest, and leaves nothing behind', async () => {
    const admin = { listen: { host: '127.0.0.1', port: adminPort(workers) } }
    const readiness = `http://127.0.0.1:${admin.listen.port}/readyz`
    await using stage = await workersStage(workers, { admin, limits: { drainSeconds: 6 } })
    await stage.fill('', { 'large.bin': 'x'.repeat(size) })
    await stage.start()
    const server = stage.process()
    expect((await ask(readiness)).status).toBe(200)
    const uploads = ten((index) => startUpload(stage, `up-${index}.bin`))
    const downloads = await Promise.all(ten(() => startDownload(stage, 'large.bin')))
    await until(() => temporaries(stage).length === 10, 'ten uploads that have begun')

    process.kill(server.pid, 'SIGTERM')
    await until(async () => (await ask(readiness)).status === 503, 'not being ready')
    await until(() => isRefused(server.address), 'a refused connection')

    for (const { call } of uploads.slice(0, 5)) call.end(Buffer.alloc(size / 2))
    for (const { response } of downloads.slice(0, 5)) response.resume()
    const done = await Promise.all(uploads.slice(0, 5).map(({ status }) => status))
    expect(done).toEqual([201, 201, 201, 201, 201])
    const read = await Promise.all(downloads.slice(0, 5).map(({ received }) => received))
    expect(read).toEqual([size, size, size, size, size])

    expect(await Promise.all(uploads.slice(5).map(({ status }) => status))).toEqual(
      Array.from({ length: 5 }, () => 'cut'),
    )
    expect(await server.ended).toBe(0)
    expect(temporaries(stage)).toEqual([])
    // The last to close the database has written everything back.
    expect(existsSync(`${stage.dataDir}/davmesh.sqlite-wal`)).toBe(false)
    for (const { response } of downloads) response.destroy()
  })

  it('a second signal ends it at once', async () => {
    await using stage = await workersStage(workers)
    await stage.start()
    const { pid, ended, err } = stage.process()
    const children = childrenOf(pid)
    const { call, status } = startUpload(stage, 'up.bin')
    await until(() => temporaries(stage).length === 1, 'an upload that has begun')
    process.kill(pid, 'SIGTERM')
    await until(() => err().includes('a second signal ends at once'), 'the announcement')
    process.kill(pid, 'SIGTERM')
    expect(await ended).toBe(1)
    expect(await status).toBe('cut')
    call.destroy()
    await until(() => !children.some((one) => existsSync(`/proc/${one}`)), 'the end of the workers')
  })
})
