import { describe, expect, it, jest } from '@jest/globals'
import { bearer, davClient } from '../support/dav-client.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { runCli } from '../support/run-cli.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

/** One test runs commands as processes of their own. */
jest.setTimeout(30_000)

const root = (server: TestServer, token: string) =>
  davClient(`${server.url}/dav/ocm/`, bearer(token))
const status = async (server: TestServer, token: string) =>
  (await root(server, token).get('beach.txt')).status
const jtiOf = (jwt: string): string => {
  const claims = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(claims) as { jti: string }).jti
}

describe('the end of access', () => {
  it('comes for a token on the second it expires, not before (RFC 7519 §4.1.4)', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    server.clock.advance('59m')
    server.clock.advance('59999ms')
    expect(await status(server, token)).toBe(200)
    server.clock.advance('1ms')
    expect(await status(server, token)).toBe(401)
    expect(await status(server, await peer.exchange(server, secret))).toBe(200)
  })

  it('comes for token, refresh token and code when the share ends', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const expiresAt = server.clock.now() + 10 * 60_000
    const { secret, received } = await shareWith(server, peer, { expiresAt })
    expect(received.body['expiration']).toBe(expiresAt / 1000)
    const first = await peer.askToken(server, secret)
    expect(first.json()['expires_in']).toBe(600)
    const token = String(first.json()['access_token'])
    server.clock.advance('9m')
    expect((await peer.askToken(server, secret)).json()['expires_in']).toBe(60)
    expect([await status(server, token), await status(server, secret)]).toEqual([200, 200])
    server.clock.advance('1m')
    expect([await status(server, token), await status(server, secret)]).toEqual([401, 401])
    const late = await peer.askToken(server, secret)
    expect([late.status, late.json()['error']]).toEqual([400, 'invalid_grant'])
  })

  it('comes between two equal listings, of which the second could be remembered', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { id, secret } = await shareWith(server, peer, { mode: 'strict' })
    const [one, other] = [await peer.exchange(server, secret), await peer.exchange(server, secret)]
    const list = async (token: string): Promise<number> =>
      (await root(server, token).propfind('', '1')).status
    for (const token of [one, other, one, other]) expect(await list(token)).toBe(207)
    await server.services().tokens.revokeToken(jtiOf(one))
    expect([await list(one), await list(other)]).toEqual([401, 207])
    await server.services().shares.revokeShare(id)
    expect(await list(other)).toBe(401)
  })

  it('comes for everything of a user who is disabled, and ends when enabled again', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    await server.services().users.disableUser('alice')
    expect([await status(server, token), await status(server, secret)]).toEqual([401, 401])
    expect((await peer.askToken(server, secret)).json()['error']).toBe('invalid_grant')
    await server.services().users.enableUser('alice')
    expect([await status(server, token), await status(server, secret)]).toEqual([200, 200])
  })

  it('comes for one token alone when that token is revoked', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const [one, other] = [await peer.exchange(server, secret), await peer.exchange(server, secret)]
    expect([await status(server, one), await status(server, other)]).toEqual([200, 200])
    await server.services().tokens.revokeToken(jtiOf(one))
    expect([await status(server, one), await status(server, other)]).toEqual([401, 200])
  })

  it('comes for the tokens of a retired key, while a rotation disturbs nobody', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const before = await peer.exchange(server, secret)
    const { keys } = server.services()
    const { kid } = await keys.generate('ES256')
    await keys.activate(kid)
    const after = await peer.exchange(server, secret)
    expect([await status(server, before), await status(server, after)]).toEqual([200, 200])
    await keys.retire(`${server.url}/ocm#key-1`)
    expect([await status(server, before), await status(server, after)]).toEqual([401, 200])
  })

  it('is seen by the server when another process causes it (S39)', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const one = await shareWith(server, peer)
    const token = await peer.exchange(server, one.secret)
    const other = await shareWith(server, peer, { path: '/Holiday/more' })
    const otherToken = await peer.exchange(server, other.secret)
    const cli = (...args: string[]) =>
      runCli(['--config', server.configFile, '--json', ...args], { cwd: server.dir })
    const dav = root(server, otherToken)
    expect([await status(server, token), (await dav.get('deep.txt')).status]).toEqual([200, 200])

    const revoked = await cli('token', 'revoke', jtiOf(token))
    expect(revoked.code).toBe(0)
    expect(revoked.json()).toMatchObject({ jti: jtiOf(token), shareId: one.id })
    expect([await status(server, token), (await dav.get('deep.txt')).status]).toEqual([401, 200])

    expect((await cli('share', 'revoke', other.id)).json()).toMatchObject({ state: 'revoked' })
    expect((await dav.get('deep.txt')).status).toBe(401)
    expect(await status(server, one.secret)).toBe(200)
    expect((await cli('user', 'disable', 'alice')).code).toBe(0)
    expect(await status(server, one.secret)).toBe(401)
  })

  it('survives a restart, as do the tokens that still live', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const [one, other] = [await peer.exchange(server, secret), await peer.exchange(server, secret)]
    await server.services().tokens.revokeToken(jtiOf(one))
    await server.restart()
    expect([await status(server, one), await status(server, other)]).toEqual([401, 200])
  })
})
