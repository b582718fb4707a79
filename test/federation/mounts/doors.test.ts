import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { expectOurs, rememberedOf } from '../../support/mount-checks.ts'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'
import type { Door } from '../../support/peer/dav-sender.ts'
import type { PeerReply } from '../../support/peer/independent-peer.ts'

let stage: MountStage

beforeAll(async () => {
  stage = await mountStage()
})

afterAll(() => stage.close())

type Mount = Awaited<ReturnType<MountStage['mount']>>

const read = ({ path }: Mount) => stage.files.get(`${path}/ten.txt`)
const stateOf = async ({ id }: Mount) => stage.server.services().incoming.get(id)

/** What was shown to the sender's WebDAV, without what is shown in it. */
const shown = ({ sender }: Mount): string[] => [
  ...new Set(
    sender.calls.map(({ headers: { authorization = 'nothing' } }) => {
      const [scheme = '', value = ''] = authorization.split(' ')
      if (value === sender.secret) return `${scheme} secret`
      if (sender.everIssued.has(value)) return `${scheme} token`
      const user = Buffer.from(value, 'base64').toString().split(':')[0]
      return user === sender.secret ? `${scheme} secret` : `${scheme} something`
    }),
  ),
]

describe('a share', () => {
  it.each<[Door, string[]]>([
    ['basic', ['Basic secret']],
    ['named-basic', ['Bearer secret', 'Basic secret']],
    ['bearer', ['Bearer secret']],
    ['exchange', ['Bearer token']],
    ['strict', ['Bearer token']],
  ])('whose door is %s is opened by %j, and read and written', async (door, credentials) => {
    const mount = await stage.mount({ door })
    expect((await read(mount)).text).toBe('0123456789')
    expect((await stage.files.put(`${mount.path}/new.txt`, 'new')).status).toBe(201)
    expect(mount.sender.store.read('new.txt')).toBe('new')
    expect(shown(mount)).toEqual(credentials)
  })

  it.each<Door>(['basic', 'named-basic', 'bearer'])(
    'whose door is %s is opened at once by what opened it before, also after a restart',
    async (door) => {
      const mount = await stage.mount({ door })
      await read(mount)
      await stage.server.restart()
      const before = mount.sender.calls.length
      await read(mount)
      expect(mount.sender.calls.slice(before).map(({ opened }) => opened)).not.toContain(false)
    },
  )

  it.each<Door>(['exchange', 'strict'])(
    'whose door is %s is opened by one token until it nears its end',
    async (door) => {
      const mount = await stage.mount({ door, expiresIn: 3600 })
      await read(mount)
      stage.clock.advance('53m')
      expect((await read(mount)).status).toBe(200)
      expect(mount.sender.asked).toHaveLength(1)
      stage.clock.advance('2m')
      expect((await read(mount)).status).toBe(200)
      expect(mount.sender.asked).toHaveLength(2)
      await stage.server.restart()
      expect((await read(mount)).status).toBe(200)
      expect(mount.sender.asked).toHaveLength(2)
      expect(shown(mount)).toEqual(['Bearer token'])
    },
  )

  it('that is strict never shows its secret to WebDAV, whatever the token endpoint says', async () => {
    const mount = await stage.mount({ door: 'strict' })
    mount.sender.replyToExchanges(...Array.from({ length: 5 }, () => ({ status: 500, body: {} })))
    for (let count = 0; count < 3; count += 1) {
      const answer = await read(mount)
      expect(answer.status).toBe(503)
      expectOurs(stage.server, answer, mount.sender.everIssued)
    }
    expect(shown(mount)).not.toContain('Bearer secret')
    expect(shown(mount)).not.toContain('Basic secret')
  })

  it('that was opened by a token is not opened by its secret again', async () => {
    const mount = await stage.mount({ door: 'exchange' })
    await read(mount)
    mount.sender.expire()
    mount.sender.replyToExchanges({ status: 500, body: {} })
    const answer = await read(mount)
    expect(answer.status).toBe(503)
    expect(shown(mount)).toEqual(['Bearer token'])
    stage.clock.advance('31m')
    expect((await read(mount)).status).toBe(200)
  })

  it('whose sender begins to exchange moves up to tokens', async () => {
    const mount = await stage.mount({ door: 'bearer' })
    await read(mount)
    mount.sender.changeDiscovery({
      capabilities: ['exchange-token', 'http-sig', 'protocol-object'],
      tokenEndPoint: `${mount.sender.url}/ocm/token`,
    })
    stage.clock.advance('25h')
    expect((await read(mount)).status).toBe(200)
    await read(mount)
    expect(mount.sender.asked.length).toBeGreaterThan(0)
    expect(shown(mount)).toContain('Bearer token')
  })
})

describe('an access token that the sender takes no more', () => {
  it.each([
    ['expires early', (mount: Mount) => mount.sender.expire()],
    ['is of another key', (mount: Mount) => mount.sender.rekey()],
  ])('because it %s is renewed once for many readers', async (_, spoil) => {
    const mount = await stage.mount({ door: 'strict' })
    await read(mount)
    spoil(mount)
    const answers = await Promise.all(Array.from({ length: 50 }, () => read(mount)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(mount.sender.asked).toHaveLength(2)
  })

  it('is renewed for an upload, which may have to come again', async () => {
    const mount = await stage.mount({ door: 'strict' })
    await read(mount)
    mount.sender.expire()
    const first = await stage.files.put(`${mount.path}/new.txt`, 'x'.repeat(200_000))
    if (first.status !== 201) {
      expect([first.status, first.headers['retry-after']]).toEqual([503, '1'])
      const again = await stage.files.put(`${mount.path}/new.txt`, 'x'.repeat(200_000))
      expect(again.status).toBe(201)
    }
    expect(mount.sender.store.read('new.txt')).toHaveLength(200_000)
    expect(mount.sender.asked).toHaveLength(2)
  })

  it('asks for attention when a new one does not help, and rests for a minute', async () => {
    const mount = await stage.mount({ door: 'strict', expiresIn: 3600 })
    await read(mount)
    mount.sender.expire()
    // Good in form, and opens nothing.
    const useless = { access_token: 'useless', token_type: 'Bearer', expires_in: 3600 }
    mount.sender.replyToExchanges({ status: 200, body: useless })
    stage.server.secrets.add('useless-token')
    const answer = await read(mount)
    expect(answer.status).toBe(403)
    expectOurs(stage.server, answer, mount.sender.everIssued)
    expect(await stateOf(mount)).toMatchObject({ state: 'accepted', problem: expect.any(String) })
    const [calls, asked] = [mount.sender.calls.length, mount.sender.asked.length]
    expect((await read(mount)).status).toBe(403)
    expect([mount.sender.calls.length, mount.sender.asked.length]).toEqual([calls, asked])
    stage.clock.advance('61s')
    expect((await read(mount)).status).toBe(200)
    expect(await stateOf(mount)).toMatchObject({ state: 'accepted', problem: null })
  })
})

describe('a share that its sender revoked without a word', () => {
  it.each([
    [400, { error: 'invalid_grant' }],
    [401, { error: 'invalid_grant' }],
  ])('with %i %j is seen as revoked, and its sender is left in peace', async (status, body) => {
    const mount = await stage.mount({ door: 'strict' })
    await read(mount)
    mount.sender.expire()
    mount.sender.revoke({ status, body })
    const answer = await read(mount)
    expect(answer.status).toBe(403)
    expectOurs(stage.server, answer, mount.sender.everIssued)
    expect(await stateOf(mount)).toMatchObject({ state: 'revoked', problem: expect.any(String) })
    const [calls, asked] = [mount.sender.calls.length, mount.sender.asked.length]
    stage.clock.advance('25h')
    expect((await read(mount)).status).toBe(403)
    expect((await stage.files.propfind(`${mount.path}/`, '1')).status).toBe(403)
    expect((await stage.files.propfind('Shared/', '1')).text).toContain(mount.path)
    expect([mount.sender.calls.length, mount.sender.asked.length]).toEqual([calls, asked])
    expect((await stage.files.remove(mount.path)).status).toBe(204)
    expect((await stateOf(mount)).state).toBe('declined')
  })
})

/** T15, H8: bodies that are no token. */
const badTokens: Record<string, PeerReply> = {
  'no access_token': { status: 200, body: { token_type: 'Bearer', expires_in: 3600 } },
  'malformed JSON': { status: 200, body: '{"access_token":' },
  HTML: { status: 200, body: '<!doctype html>', headers: { 'content-type': 'text/html' } },
  null: { status: 200, body: 'null' },
  'an array': { status: 200, body: '[]' },
  'type mac': { status: 200, body: { access_token: 'abc', token_type: 'mac', expires_in: 3600 } },
  'expires_in -1': {
    status: 200,
    body: { access_token: 'abc', token_type: 'Bearer', expires_in: -1 },
  },
  'expires_in 0': {
    status: 200,
    body: { access_token: 'abc', token_type: 'Bearer', expires_in: 0 },
  },
  'expires_in "x"': {
    status: 200,
    body: { access_token: 'abc', token_type: 'Bearer', expires_in: 'x' },
  },
  'a line break in the token': {
    status: 200,
    body: { access_token: 'abc\r\nX-Evil: 1', token_type: 'Bearer', expires_in: 3600 },
  },
  'a blank in the token': {
    status: 200,
    body: { access_token: 'abc def', token_type: 'Bearer', expires_in: 3600 },
  },
  'a token that is a number': {
    status: 200,
    body: { access_token: 7, token_type: 'Bearer', expires_in: 3600 },
  },
  'a token of a megabyte': {
    status: 200,
    body: { access_token: 'a'.repeat(1_000_000), token_type: 'Bearer', expires_in: 3600 },
  },
  'status 403': { status: 403, body: { error: 'unauthorized_client' } },
  'status 404': { status: 404, body: 'not here' },
  'status 500': { status: 500, body: { error: 'server_error' } },
  'a redirect': { status: 302, headers: { location: 'http://elsewhere.example.org/' } },
}

describe('an answer to a token request', () => {
  it.each(Object.entries(badTokens))(
    'with %s opens nothing and is not stored',
    async (_, reply) => {
      const mount = await stage.mount({ door: 'strict' })
      const remembered = rememberedOf(stage.server, mount.id)
      mount.sender.replyToExchanges(...Array.from({ length: 4 }, () => reply))
      const answer = await read(mount)
      expect([403, 502, 503]).toContain(answer.status)
      expectOurs(stage.server, answer, [])
      expect(shown(mount)).not.toContain('Bearer secret')
      expect(shown(mount)).not.toContain('Basic secret')
      expect(rememberedOf(stage.server, mount.id)).toEqual(remembered)
      stage.clock.advance('31m')
      for (let count = 0; count < 6; count += 1) {
        if ((await read(mount)).status === 200) break
        stage.clock.advance('31m')
      }
      expect((await read(mount)).text).toBe('0123456789')
    },
  )
})
