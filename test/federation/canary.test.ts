import { describe, expect, it } from '@jest/globals'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { basic, bearer, davClient } from '../support/dav-client.ts'
import { request } from '../support/http-request.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { formsOf, leaksIn } from '../support/secrets.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer } from '../support/start-server.ts'

describe('the canary', () => {
  it('sees a secret in every form it looks for', () => {
    const secret = 'c4narY/secret+value?'
    for (const form of [
      `x ${secret} y`,
      encodeURIComponent(secret),
      Buffer.from(`alice:${secret}`).toString('base64'),
      Buffer.from(`${secret}:`).toString('base64'),
      Buffer.from(`12${secret}89`).toString('base64url'),
      Buffer.from(secret).toString('hex').toUpperCase(),
    ]) {
      expect(leaksIn(`before ${form} after`, [secret])).toEqual([0])
    }
    expect(leaksIn('nothing of the kind', [secret])).toEqual([])
    for (const form of formsOf(secret)) expect(form.length).toBeGreaterThanOrEqual(20)
  })

  it('finds no secret in any log line of a whole life of a share, at trace', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    const { secrets } = server
    const password = await addAlice(server)
    const chosen = 'a-chosen-passphrase'
    secrets.add(chosen)
    await server.services().users.addUser({ username: 'carol', password: chosen })
    const made = await server.services().users.addAppPassword('alice')
    secrets.add(made.password)

    const strict = await shareWith(server, peer, { mode: 'strict', permissions: ['read', 'write'] })
    const legacy = await shareWith(server, peer, { mode: 'legacy' })
    const token = await peer.exchange(server, strict.secret)
    // A whole token, and the part of it that makes it one.
    secrets.add(token).add(token.split('.')[2] ?? '')

    const credentials = [
      bearer(token),
      bearer(strict.secret),
      bearer(legacy.secret),
      basic(legacy.secret, ''),
      basic(legacy.secret, legacy.secret),
      basic('alice', password),
      basic('alice', made.password),
      basic('carol', chosen),
      basic('nobody', chosen),
      `Bearer ${token}x`,
      `Basic ${token}`,
      `Digest ${password}`,
    ]
    for (const authorization of credentials) {
      for (const path of [
        '/dav/ocm/',
        '/dav/files/alice/',
        '/dav/files/carol/',
        '/ocm/token',
        '/x',
      ]) {
        await davClient(server.url, authorization).propfind(path, '1')
        await davClient(server.url, authorization).put(`${path}new.txt`, 'content')
      }
    }
    const twice = [
      ['Authorization', bearer(token)],
      ['Authorization', basic('a', password)],
    ] as const
    await request(`${server.url}/dav/ocm/`, { headers: twice })
    await request(`${server.url}/dav/ocm/beach.txt?access_token=${token}`)
    await request(`${server.url}/ocm/token?code=${strict.secret}`)

    await peer.askToken(server, `${strict.secret}x`)
    await peer.askToken(server, strict.secret, { unsigned: true })
    await peer.askToken(server, strict.secret, { parameters: { tag: undefined } })
    const altered = { body: `code=${strict.secret}&a=1`, sentBody: `code=${strict.secret}&a=2` }
    await peer.askToken(server, '', altered)
    const broken = `{"grant_type":"authorization_code","code":"${strict.secret}`
    await peer.askToken(server, '', { body: broken, contentType: 'application/json' })
    await peer.askToken(server, '', { body: `code=${strict.secret}%zz` })
    await peer.askToken(server, '', { body: `${strict.secret}=1&${strict.secret}=2` })

    await server.services().tokens.inspect(token)
    await server.services().shares.revokeShare(strict.id)
    await davClient(`${server.url}/dav/ocm/`, bearer(token)).get('beach.txt')
    await server.restart()

    const log = server.log.text()
    expect(server.log.entries().length).toBeGreaterThan(100)
    expect(leaksIn(log, secrets)).toEqual([])
    expect(log).not.toMatch(/authorization"|"headers"|access_token=/i)
  })

  it('finds no secret that a peer throws back at us, in the log or in the reason it keeps', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    let secret = ''
    peer.duringShare(({ body }) => {
      secret = body.protocol.webdav.sharedSecret
      peer.replyToShares({ status: 500, body: { message: `cannot take ${secret}` } })
      return Promise.resolve()
    })
    const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
    const failed = await server.services().shares.createShare(wanted)
    expect(failed.state).toBe('pending')
    expect(leaksIn(failed.problem ?? '', [secret])).toEqual([])
    expect(leaksIn(server.log.text(), [secret])).toEqual([])
  })

  it('finds no secret in any file of the data directory', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    const password = await addAlice(server)
    peer.replyToShares({ status: 500 })
    const wanted = { owner: 'alice', path: '/Holiday', recipient: `bob@${peer.host}` }
    // Undelivered: its secret is still needed, so it is there, but sealed.
    await server.services().shares.createShare(wanted)
    const unsent = peer.shares[0]?.body.protocol.webdav.sharedSecret ?? ''
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    const secrets = [password, unsent, secret, token, token.split('.')[2] ?? '']
    for (const name of await readdir(join(server.dir, 'data'))) {
      if (name === 'files') continue
      const bytes = await readFile(join(server.dir, 'data', name))
      expect([name, leaksIn(bytes.toString('latin1'), secrets)]).toEqual([name, []])
    }
    const key = (await readFile(join(server.dir, 'data', 'secret.key'), 'utf8')).trim()
    expect(leaksIn(server.log.text(), [key])).toEqual([])
  })
})
