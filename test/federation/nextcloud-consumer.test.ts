import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { basic, bearer, davClient, hrefsOf } from '../support/dav-client.ts'
import { request, type Answer } from '../support/http-request.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  await addAlice(server)
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

const asked =
  '<?xml version="1.0"?>' +
  '<d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" ' +
  'xmlns:ocs="http://open-collaboration-services.org/ns" ' +
  'xmlns:ocm="http://open-cloud-mesh.org/ns"><d:prop>' +
  '<d:getlastmodified/><d:getcontentlength/><d:getcontenttype/><d:resourcetype/><d:getetag/>' +
  '<d:quota-available-bytes/><oc:permissions/><oc:id/><ocs:share-permissions/>' +
  '<ocm:share-permissions/></d:prop></d:propfind>'

/** The names in the `propstat` of a status, of the n-th response. */
function named({ text }: Answer, status: string, response = 0): string[] {
  const [, ...responses] = text.split('<D:response>')
  const propstats = responses[response]?.split('<D:propstat>') ?? []
  const found = propstats.find((propstat) => propstat.includes(`HTTP/1.1 ${status}`)) ?? ''
  return [...found.matchAll(/<(\w+:[\w-]+)(?:>|\/>)/g)]
    .map(([, name = '']) => name)
    .filter((name) => !['D:prop', 'D:status', 'D:collection', 'D:href'].includes(name))
    .sort()
}

const always = ['D:getetag', 'D:getlastmodified', 'D:resourcetype', 'oc:id', 'oc:permissions']
const permissions = ['ocm:share-permissions', 'ocs:share-permissions']
const ofFiles = ['D:getcontentlength', 'D:getcontenttype']
const ofFolders = ['D:quota-available-bytes']

describe('what Nextcloud asks of a share (peers.md §5.2)', () => {
  describe.each(['a token', 'the secret'])('with %s', (credential) => {
    let dav: ReturnType<typeof davClient>
    let file: ReturnType<typeof davClient>

    beforeAll(async () => {
      const open = async (path: string) => {
        const mode = credential === 'a token' ? 'strict' : 'legacy'
        const permissions = ['read', 'write', 'share'] as const
        const { secret } = await shareWith(server, peer, { mode, path, permissions })
        const authorization =
          mode === 'strict' ? bearer(await peer.exchange(server, secret)) : basic(secret, '')
        return davClient(`${server.url}/dav/ocm/`, authorization)
      }
      dav = await open('/Holiday')
      file = await open('/diary.txt')
    })

    it('finds every property of the root and of its members', async () => {
      for (const depth of ['0', '1']) {
        const answer = await dav.propfind('', depth, asked)
        expect(answer.status).toBe(207)
        expect(named(answer, '200')).toEqual([...always, ...permissions, ...ofFolders].sort())
        expect(named(answer, '404')).toEqual(ofFiles)
      }
      const members = await dav.propfind('', '1', asked)
      const index = hrefsOf(members).indexOf('/dav/ocm/beach.txt')
      expect(named(members, '200', index)).toEqual([...always, ...permissions, ...ofFiles].sort())
    })

    it('mounts a single file as the root', async () => {
      for (const depth of ['0', '1']) {
        const answer = await file.propfind('', depth, asked)
        expect(hrefsOf(answer)).toEqual(['/dav/ocm/'])
        expect(answer.text).toContain('<D:resourcetype/>')
        expect(named(answer, '200')).toEqual([...always, ...permissions, ...ofFiles].sort())
      }
      expect((await file.get()).text).toBe('dear diary')
      expect((await file.put('', 'dear diary')).status).toBe(204)
    })

    it('reads, writes, makes, moves, copies, touches and removes', async () => {
      const statusOf = async (answer: Promise<Answer>): Promise<number> => (await answer).status
      expect(await statusOf(dav.call('OPTIONS'))).toBe(200)
      expect(await statusOf(dav.mkcol('new'))).toBe(201)
      expect(await statusOf(dav.put('new/a', 'content'))).toBe(201)
      const part = await dav.get('new/a', { range: 'bytes=3-' })
      expect([part.status, part.text]).toEqual([206, 'tent'])
      const to = (path: string): string => `${server.url}/dav/ocm/${path}`
      expect(await statusOf(dav.copyOrMove('COPY', 'new/a', to('new/b')))).toBe(201)
      expect(await statusOf(dav.copyOrMove('MOVE', 'new/a', to('new/b')))).toBe(204)
      const touch = await dav.proppatch(
        'new/b',
        '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><d:lastmodified>1000000000' +
          '</d:lastmodified></d:prop></d:set></d:propertyupdate>',
      )
      expect([touch.status, named(touch, '200')]).toEqual([207, ['D:lastmodified']])
      expect(await statusOf(dav.remove('new'))).toBe(204)
      expect(await statusOf(dav.get('new/b'))).toBe(404)
    })
  })

  it('learns at once that there is no shareinfo', async () => {
    const url = `${server.url}/index.php/apps/files_sharing/shareinfo`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const answer = await request(url, { method: 'POST', headers, body: 't=secret&password=' })
    expect(answer.status).toBe(404)
  })
})
