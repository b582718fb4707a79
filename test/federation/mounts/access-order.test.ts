import { describe, expect, it, jest } from '@jest/globals'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { newLegacyKey } from '../../support/peer/cavage.ts'
import { leaksIn } from '../../support/secrets.ts'
import { accessStage, type AccessStage } from '../../support/sending-peer.ts'

/** Each case is a story of two servers. */
jest.setTimeout(30_000)

const cannotExchange = {
  discovery: { capabilities: ['http-sig', 'protocol-object'], tokenEndPoint: undefined },
}

const bearer = ({ secret }: AccessStage): string => `Bearer ${secret}`
const basic = ({ secret }: AccessStage): string =>
  `Basic ${Buffer.from(`${secret}:`).toString('base64')}`

function expectNoLeak({ server, sending }: AccessStage): void {
  const secrets = [...server.secrets, sending.lastToken()].filter((text) => text !== '')
  expect(leaksIn(server.log.text(), secrets)).toEqual([])
}

describe('a strict share', () => {
  it('is opened by an exchanged token, asked for in a signed form', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    const { sending, server, secret } = stage
    expect((await stage.ask()).status).toBe(207)
    expect(stage.tried()).toEqual([`Bearer ${sending.lastToken()}`])
    expect(sending.asked).toEqual([
      {
        fields: { grant_type: 'authorization_code', client_id: server.authority, code: secret },
        contentType: 'application/x-www-form-urlencoded',
        sender: expect.objectContaining({ ok: true }),
      },
    ])
    expect(stage.row()).toMatchObject({ auth_mode: 'exchange', problem: null })
    expectNoLeak(stage)
  })

  it('keeps the token for the next request, sealed', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    for (let time = 0; time < 3; time += 1) await stage.ask()
    expect([stage.sending.asked.length, stage.sending.seen.length]).toEqual([1, 3])
    const token = stage.sending.lastToken()
    expect(Buffer.from(JSON.stringify(stage.row())).includes(token)).toBe(false)
    await stage.server.restart()
    expect((await stage.ask()).status).toBe(207)
    expect(stage.sending.asked).toHaveLength(1)
  })

  it('is written down once: what goes well afterwards writes nothing', async () => {
    await using stage = await accessStage({ arm: 'strict' })
    await stage.ask()
    const { db } = stage.server.services()
    const version = db.version()
    for (let time = 0; time < 5; time += 1) await stage.ask()
    expect(db.version()).toBe(version)
  })

  it('never shows the secret to WebDAV, whatever the exchange says', async () => {
    await using stage = await accessStage({ arm: 'strict', peer: cannotExchange })
    stage.sending.accepts.add(bearer(stage)).add(basic(stage))
    await expect(stage.ask()).rejects.toMatchObject({ code: 'share_closed' })
    expect(stage.sending.seen).toEqual([])
    expect(stage.row()).toMatchObject({ problem: expect.stringContaining('no access token') })
  })

  it('is exchanged with the code where that differs from the secret', async () => {
    await using stage = await accessStage({ arm: 'strict', offer: { code: 'another-code' } })
    await stage.ask()
    expect(stage.sending.asked[0]?.fields['code']).toBe('another-code')
  })
})

describe('a token request', () => {
  it('is signed as its time did it, to a sender that publishes such a key', async () => {
    const key = newLegacyKey('http://127.0.0.1/ocm#signature')
    const discovery = { capabilities: ['exchange-token'], publicKey: key.publicKey }
    await using stage = await accessStage({ arm: 'strict', peer: { discovery } })
    expect((await stage.ask()).status).toBe(207)
    expect(stage.sending.asked[0]?.sender).toMatchObject({
      ok: true,
      keyId: `${stage.server.url}/ocm#signature`,
    })
  })

  it('is not signed to a sender that verifies nothing', async () => {
    const discovery = { capabilities: ['exchange-token'] }
    await using stage = await accessStage({ arm: 'strict', peer: { discovery } })
    expect((await stage.ask()).status).toBe(207)
    expect(stage.sending.asked[0]?.sender).toEqual({ ok: false, reason: 'unsigned' })
  })

  it('goes to the endpoint that the sender has now, where it had none', async () => {
    await using stage = await accessStage({ arm: 'strict', peer: cannotExchange })
    await expect(stage.ask()).rejects.toMatchObject({ code: 'share_closed' })
    stage.sending.peer.changeDiscovery({
      capabilities: ['exchange-token', 'http-sig'],
      tokenEndPoint: `${stage.sending.peer.url}/ocm/token`,
    })
    stage.server.clock.advance('61s')
    expect((await stage.ask()).status).toBe(207)
  })
})

describe('a share without a requirement', () => {
  it('is exchanged where its sender can, and the secret is never tried again', async () => {
    await using stage = await accessStage()
    const { sending } = stage
    sending.accepts.add(bearer(stage)).add(basic(stage))
    await stage.ask()
    expect(stage.row()).toMatchObject({ auth_mode: 'exchange' })
    sending.accepts.delete(`Bearer ${sending.lastToken()}`)
    sending.replyToExchange({ status: 503 })
    await expect(stage.ask()).rejects.toMatchObject({ code: 'sender_unreachable' })
    expect(stage.tried()).not.toContain(bearer(stage))
    expect((await stage.ask()).status).toBe(207)
    expect(stage.tried()).not.toContain(bearer(stage))
  })

  it('is opened by the secret as Bearer where its sender cannot', async () => {
    await using stage = await accessStage({ peer: cannotExchange })
    stage.sending.accepts.add(bearer(stage))
    await stage.ask()
    expect(stage.tried()).toEqual([bearer(stage)])
    expect(stage.row()).toMatchObject({ auth_mode: 'bearer', sealed_access_token: null })
    expectNoLeak(stage)
  })

  it('else as Basic, which is remembered', async () => {
    await using stage = await accessStage({ peer: cannotExchange })
    stage.sending.accepts.add(basic(stage))
    await stage.ask()
    await stage.ask()
    expect(stage.tried()).toEqual([bearer(stage), basic(stage), basic(stage)])
    expect(stage.row()).toMatchObject({ auth_mode: 'basic' })
  })

  it('of the old form is opened by Basic first, and by Bearer else', async () => {
    await using stage = await accessStage({ arm: 'options', peer: cannotExchange })
    stage.sending.accepts.add(bearer(stage))
    await stage.ask()
    expect(stage.tried()).toEqual([basic(stage), bearer(stage)])
    expect(stage.sending.seen[0]?.path).toBe('/remote/')
    expect(stage.row()).toMatchObject({ auth_mode: 'bearer' })
  })

  it.each([400, 403, 404, 501])(
    'falls back to the secret when the token endpoint says %i, and asks again later',
    async (status) => {
      await using stage = await accessStage()
      const { sending, server } = stage
      sending.accepts.add(bearer(stage))
      sending.replyToExchange({ status, body: { error: 'unsupported_grant_type' } })
      await stage.ask()
      await stage.ask()
      expect([stage.tried(), sending.asked.length]).toEqual([[bearer(stage), bearer(stage)], 1])
      expect(stage.row()).toMatchObject({ auth_mode: 'bearer', problem: null })
      server.clock.advance('61m')
      await stage.ask()
      expect(stage.tried().at(-1)).toBe(`Bearer ${sending.lastToken()}`)
      expect(stage.row()).toMatchObject({ auth_mode: 'exchange' })
    },
  )

  it('received before an upgrade goes on by password where its grant was never exchangeable', async () => {
    await using stage = await accessStage()
    const { sending } = stage
    sending.accepts.add(basic(stage))
    sending.replyToExchange({ status: 401, body: { error: 'invalid_grant' } })
    expect((await stage.ask()).status).toBe(207)
    expect(stage.row()).toMatchObject({ auth_mode: 'basic', state: 'accepted', problem: null })
  })

  it('received before an upgrade moves up when its sender can', async () => {
    await using stage = await accessStage({ peer: cannotExchange })
    const { sending, server, secret } = stage
    sending.accepts.add(basic(stage))
    await stage.ask()
    expect(stage.row()).toMatchObject({ auth_mode: 'basic' })
    sending.peer.changeDiscovery({
      capabilities: ['exchange-token', 'http-sig'],
      tokenEndPoint: `${sending.peer.url}/ocm/token`,
    })
    server.clock.advance('25h')
    sending.accepts.clear()
    expect((await stage.ask()).status).toBe(207)
    expect(sending.asked[0]?.fields['code']).toBe(secret)
    expect(stage.row()).toMatchObject({ auth_mode: 'exchange' })
  })
})

describe('a body that can be sent only once', () => {
  const put = (stage: AccessStage) =>
    stage.ask({ method: 'PUT', path: ['a.txt'], body: Readable.from(['sun']) })

  it.each([
    ['exchange', {}],
    ['basic', { peer: cannotExchange }],
  ])('is sent when it is known what opens the share (%s)', async (mode, options) => {
    await using stage = await accessStage(options)
    stage.sending.accepts.add(basic(stage))
    expect((await put(stage)).status).toBe(207)
    expect(stage.row()).toMatchObject({ auth_mode: mode })
    const [sent, ...others] = stage.sending.seen.filter(({ method }) => method === 'PUT')
    expect([sent?.path, sent?.body, others]).toEqual(['/remote/trip/a.txt', 'sun', []])
  })

  it('is to be tried again when the token has just become worthless', async () => {
    await using stage = await accessStage()
    await put(stage)
    stage.sending.accepts.clear()
    const again = { code: 'sender_unreachable', retryAfterSeconds: 1 }
    await expect(put(stage)).rejects.toMatchObject(again)
    expect((await put(stage)).status).toBe(207)
    expect(stage.sending.asked).toHaveLength(2)
  })

  it.each([
    ['is answered too soon', (res: ServerResponse) => void res.end()],
    ['is cut off', (res: ServerResponse) => void res.end(() => void res.socket?.resetAndDestroy())],
  ])('leaves the share open for the next one when it %s', async (_, end) => {
    await using stage = await accessStage()
    const { sending } = stage
    await put(stage)
    const stale = `Bearer ${sending.lastToken()}`
    sending.accepts.clear()
    sending.peer.takeOver('/remote/trip/big', (req, res) => {
      if (req.headers.authorization === stale) {
        end(res.writeHead(401, { connection: 'close' }))
      } else req.resume().on('end', () => void res.writeHead(201).end())
    })
    const big = () => stage.ask({ method: 'PUT', path: ['big'], body: megabytes(32) })
    await expect(big()).rejects.toMatchObject({ code: 'sender_unreachable', retryAfterSeconds: 1 })
    expect((await big()).status).toBe(201)
  })
})

function megabytes(count: number): Readable {
  const part = Buffer.alloc(1024 * 1024)
  return Readable.from(Array.from({ length: count }, () => part))
}
