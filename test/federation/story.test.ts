import { describe, expect, it } from '@jest/globals'
import { basic, bearer, davClient, hrefsOf } from '../support/dav-client.ts'
import { fieldLines, request } from '../support/http-request.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer } from '../support/start-server.ts'

describe('a peer and a shared folder', () => {
  it('walks from discovery to the refusal after revocation', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)

    const discovery = (await request(`${server.url}/.well-known/ocm`)).json()
    expect(discovery).toMatchObject({ enabled: true, endPoint: `${server.url}/ocm` })

    const share = await shareWith(server, peer, { permissions: ['read', 'write'] })
    expect(share.received.sender).toMatchObject({
      ok: true,
      keyId: `${server.url}/ocm#key-1`,
      components: ['"@method"', '"@target-uri"', '"content-digest"', '"content-length"'],
    })
    expect(share.received.body).toMatchObject({
      shareWith: `bob@${peer.host}`,
      owner: `alice@${server.authority}`,
      name: 'Holiday',
      resourceType: 'folder',
    })

    const answer = await peer.askToken(server, share.secret)
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'cache-control': 'no-store', pragma: 'no-cache' },
    })
    // RFC 6749 §5.1; OCM presents the same code again, so there is no refresh_token.
    expect(answer.json()).toEqual({
      access_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 3600,
    })
    const token = String(answer.json()['access_token'])
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(token))

    const listing = await dav.propfind('', '1')
    expect(listing.status).toBe(207)
    expect(hrefsOf(listing)).toEqual(
      expect.arrayContaining(['/dav/ocm/', '/dav/ocm/beach.txt', '/dav/ocm/more/']),
    )
    expect((await dav.get('beach.txt')).text).toBe('sun and sand')
    const part = await dav.get('beach.txt', { range: 'bytes=4-6' })
    expect([part.status, part.text]).toEqual([206, 'and'])
    expect((await dav.put('new.txt', 'hello')).status).toBe(201)
    expect((await dav.put('new.txt', 'hello again')).status).toBe(204)
    expect((await dav.mkcol('made')).status).toBe(201)
    expect((await dav.put('made/inner.txt', 'x')).status).toBe(201)
    expect((await dav.remove('made')).status).toBe(204)
    expect((await dav.get('new.txt')).text).toBe('hello again')
    const byId = davClient(`${server.url}/dav/ocm/${share.id}/`, bearer(token))
    expect((await byId.get('new.txt')).text).toBe('hello again')

    await server.services().shares.revokeShare(share.id)
    const refused = await dav.get('beach.txt')
    expect(refused.status).toBe(401)
    // RFC 6750 §3.1 and a second challenge for those who know only Basic.
    expect(fieldLines(refused, 'www-authenticate')).toEqual([
      'Bearer realm="davmesh", error="invalid_token"',
      'Basic realm="davmesh"',
    ])
    const again = await peer.askToken(server, share.secret)
    expect([again.status, again.json()['error']]).toEqual([400, 'invalid_grant'])
  })

  it('opens a file share as the file itself, at the root and by id', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const share = await shareWith(server, peer, {
      path: '/Holiday/beach.txt',
      permissions: ['read', 'write'],
    })
    expect(share.received.body).toMatchObject({ resourceType: 'file', name: 'beach.txt' })
    const token = await peer.exchange(server, share.secret)
    for (const root of ['/dav/ocm', `/dav/ocm/${share.id}`]) {
      const dav = davClient(server.url + root, bearer(token))
      expect(await dav.get()).toMatchObject({ status: 200, text: 'sun and sand' })
      const found = await dav.propfind()
      expect(found.status).toBe(207)
      expect(found.text).not.toContain('collection')
      expect((await dav.get('/beach.txt')).status).toBe(404)
    }
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(token))
    expect((await dav.put('', 'rain')).status).toBe(204)
    expect((await dav.get()).text).toBe('rain')
    expect((await dav.remove()).status).toBe(403)
  })

  it('refuses every write on a read-only share with 403 insufficient_scope (RFC 6750 §3.1)', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer)
    const token = await peer.exchange(server, secret)
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(token))
    const update =
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x/></D:prop></D:set></D:propertyupdate>'
    const answers = [
      await dav.put('beach.txt', 'x'),
      await dav.put('new.txt', 'x'),
      await dav.mkcol('made'),
      await dav.remove('beach.txt'),
      await dav.proppatch('beach.txt', update),
      await dav.copyOrMove('COPY', 'beach.txt', `${server.url}/dav/ocm/copy.txt`),
      await dav.copyOrMove('MOVE', 'beach.txt', `${server.url}/dav/ocm/moved.txt`),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(403)
      expect(answer.headers['www-authenticate']).toBe(
        'Bearer realm="davmesh", error="insufficient_scope"',
      )
    }
    expect((await dav.get('beach.txt')).text).toBe('sun and sand')
  })

  it('answers for another share exactly as for one that does not exist', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const one = await shareWith(server, peer)
    const other = await shareWith(server, peer, { path: '/Holiday/more' })
    const dav = davClient(`${server.url}/dav/ocm`, bearer(await peer.exchange(server, one.secret)))
    const foreign = await dav.get(`/${other.id}/deep.txt`)
    const nothing = await dav.get('/shr-AAAAAAAAAAAAAAAAAAAAAA/deep.txt')
    expect(foreign.status).toBe(404)
    expect(foreign.bytes.equals(nothing.bytes)).toBe(true)
    const outside = davClient(server.url, bearer(await peer.exchange(server, one.secret)))
    expect((await outside.get('/dav/files/alice/diary.txt')).status).toBe(404)
    expect((await outside.propfind('/dav/files/alice/')).status).toBe(404)
  })

  it('opens a legacy share with the refresh token in every form peers use', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer, { mode: 'legacy' })
    const accepted = [bearer(secret), basic(secret, ''), basic(secret, secret), basic(secret, 'pw')]
    for (const credential of accepted) {
      const dav = davClient(`${server.url}/dav/ocm/`, credential)
      expect((await dav.get('beach.txt')).status).toBe(200)
    }
    const near = davClient(`${server.url}/dav/ocm/`, bearer(`${secret.slice(0, -1)}-`))
    expect((await near.get('beach.txt')).status).toBe(401)
  })

  it('opens a strict share with access tokens only', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    await addAlice(server)
    const { secret } = await shareWith(server, peer, { mode: 'strict' })
    for (const credential of [bearer(secret), basic(secret, ''), basic(secret, secret)]) {
      const dav = davClient(`${server.url}/dav/ocm/`, credential)
      expect((await dav.get('beach.txt')).status).toBe(401)
    }
    const token = await peer.exchange(server, secret)
    const dav = davClient(`${server.url}/dav/ocm/`, bearer(token))
    expect((await dav.get('beach.txt')).status).toBe(200)
  })
})
