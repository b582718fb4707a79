import { describe, expect, it, jest } from '@jest/globals'
import { Readable } from 'node:stream'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

const hasty = { config: { outbound: { timeoutMs: 1500 } } }

const unreachable = { code: 'sender_unreachable', kind: 'unavailable' }

const breakerOf = async ({ server, sending }: AccessStage) =>
  (await server.services().peers.show(sending.peer.host)).breaker

describe('a request to where a share lives', () => {
  it('goes below its root, with names as they are, and says where to copy', async () => {
    await using stage = await accessStage()
    const { url } = await stage.ask({
      method: 'MOVE',
      path: ['50 %', 'Grüße?'],
      destination: ['b c'],
      isCollection: true,
      headers: { overwrite: 'F', authorization: 'Basic mine' },
    })
    const { peer, seen, lastToken } = stage.sending
    expect(url).toBe(`${peer.url}/remote/trip/50%20%25/Gr%C3%BC%C3%9Fe%3F/`)
    expect(seen[0]).toMatchObject({
      method: 'MOVE',
      path: '/remote/trip/50%20%25/Gr%C3%BC%C3%9Fe%3F/',
      authorization: `Bearer ${lastToken()}`,
      headers: { overwrite: 'F', destination: `${peer.url}/remote/trip/b%20c/` },
    })
  })

  it('gives back every answer but 401, and none of its text where that was refused', async () => {
    await using stage = await accessStage()
    for (const status of [200, 403, 404, 412, 423, 500, 507]) {
      stage.sending.answerWebdav(() => ({ status, body: `<${status}>` }))
      expect(await stage.ask()).toMatchObject({ status, text: `<${status}>` })
    }
    stage.sending.answerWebdav(() => ({ status: 401, body: '<of the peer>' }))
    const error: unknown = await stage.ask().catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'share_closed' })
    expect(String(error)).not.toContain('of the peer')
  })

  it.each([301, 302, 307, 308])('is not led elsewhere by %i', async (status) => {
    await using stage = await accessStage()
    const headers = { location: `${stage.sending.peer.url}/remote/elsewhere` }
    stage.sending.answerWebdav(() => ({ status, body: '', headers }))
    await expect(stage.ask()).rejects.toMatchObject({ code: 'sender_garbled' })
    expect(stage.sending.seen).toHaveLength(1)
  })

  it('is not sent in clear by a name that is a path', async () => {
    await using stage = await accessStage()
    const error = { code: 'forbidden_name' }
    await expect(stage.ask({ path: ['..', 'admin'] })).rejects.toMatchObject(error)
    expect(stage.sending.seen).toEqual([])
  })
})

describe('a sender that takes its time', () => {
  it('is given up after outbound.timeoutMs, whatever it was asked for', async () => {
    await using stage = await accessStage({ server: hasty })
    const { peer } = stage.sending
    await stage.ask()
    peer.takeOver('/remote/trip', () => undefined)
    await expect(stage.ask()).rejects.toMatchObject({ ...unreachable, retryAfterSeconds: 30 })
    stage.server.clock.advance('2h')
    peer.takeOver('/ocm/token', () => undefined)
    await expect(stage.ask()).rejects.toMatchObject(unreachable)
    expect(stage.row()).toMatchObject({ state: 'accepted', problem: null })
  })

  it('gets as long as it needs for an upload', async () => {
    await using stage = await accessStage({ server: hasty })
    await stage.ask()
    async function* slowly() {
      for (const part of ['a', 'b', 'c', 'd', 'e']) {
        await new Promise((resolve) => void setTimeout(resolve, 400))
        yield part
      }
    }
    const put = { method: 'PUT', path: ['a.txt'], body: Readable.from(slowly()) }
    expect((await stage.ask(put)).status).toBe(207)
    expect(stage.sending.seen.at(-1)?.body).toBe('abcde')
  })

  const inTree = (method: string) => ({ method, path: ['a'], destination: ['b'] })

  it.each(['COPY', 'DELETE', 'MOVE'])(
    'gets longer for a %s, which may be of much',
    async (method) => {
      await using stage = await accessStage({ server: hasty })
      await stage.ask()
      stage.sending.peer.takeOver('/remote/*', (_req, res) => {
        setTimeout(() => res.writeHead(204).end(), 2000)
      })
      expect((await stage.ask(inTree(method))).status).toBe(204)
    },
  )

  it('is not blamed when that takes even longer', async () => {
    await using stage = await accessStage({ server: hasty })
    await stage.ask()
    stage.sending.peer.takeOver('/remote/*', () => undefined)
    await expect(stage.ask(inTree('MOVE'))).rejects.toMatchObject(unreachable)
    expect(await breakerOf(stage)).toBeNull()
    await expect(stage.ask()).rejects.toMatchObject(unreachable)
    expect(await breakerOf(stage)).toMatchObject({ failures: 1 })
  })

  it('is not waited for by somebody who has gone, which is not its fault', async () => {
    await using stage = await accessStage()
    await stage.ask()
    stage.sending.peer.takeOver('/remote/trip', () => undefined)
    const signal = AbortSignal.abort(new Error('gone'))
    await expect(stage.ask({ signal })).rejects.toThrow('gone')
    const later = new AbortController()
    const asked = stage.ask({ signal: later.signal })
    setImmediate(() => later.abort(new Error('gone too')))
    await expect(asked).rejects.toThrow('gone too')
    expect(await breakerOf(stage)).toBeNull()
  })
})

describe('a sender in trouble', () => {
  it.each([500, 502, 503])(
    'that says %i five times is left alone, and its users hear at once',
    async (status) => {
      await using stage = await accessStage()
      stage.sending.answerWebdav(() => ({ status, body: 'broken' }))
      for (let time = 0; time < 5; time += 1) expect((await stage.ask()).status).toBe(status)
      const calls = stage.server.outboundCalls()
      await expect(stage.ask()).rejects.toMatchObject({ ...unreachable, retryAfterSeconds: 30 })
      expect(stage.server.outboundCalls()).toBe(calls)
      stage.server.clock.advance('31s')
      stage.sending.answerWebdav(undefined)
      expect((await stage.ask()).status).toBe(207)
      expect(await breakerOf(stage)).toBeNull()
    },
  )

  it('that is not there is left alone too', async () => {
    await using stage = await accessStage()
    await stage.ask()
    await stage.sending.peer.close()
    for (let time = 0; time < 6; time += 1) {
      await expect(stage.ask()).rejects.toMatchObject(unreachable)
    }
    expect(await breakerOf(stage)).toMatchObject({ state: 'open', failures: 5 })
  })

  it('whose token endpoint is a page somebody put there is left alone too', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const page = { status: 200, body: '<html/>', headers: { 'content-type': 'text/html' } }
    stage.sending.replyToExchange(...Array.from({ length: 5 }, () => page))
    for (let time = 0; time < 5; time += 1) {
      await expect(stage.ask()).rejects.toMatchObject({ code: 'sender_garbled' })
    }
    await expect(stage.ask()).rejects.toMatchObject(unreachable)
    expect(stage.sending.asked).toHaveLength(5)
  })

  it('is not blamed for an upload that its own sender broke off', async () => {
    await using stage = await accessStage()
    await stage.ask()
    const aborted = Object.assign(new Error('aborted'), { code: 'ECONNRESET' })
    const body = new Readable({ read: () => undefined })
    body.push('half')
    const asked = stage.ask({ method: 'PUT', path: ['a.txt'], body })
    setTimeout(() => body.destroy(aborted), 50)
    await expect(asked).rejects.toBe(aborted)
    expect(await breakerOf(stage)).toBeNull()
  })
})
