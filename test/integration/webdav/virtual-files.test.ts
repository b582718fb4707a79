import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { v2 } from 'webdav-server'
import { treeOfFileSystem } from '../../../src/index.ts'
import { basic, davClient, hrefsOf } from '../../support/dav-client.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let server: TestServer
let files: v2.VirtualFileSystem
let alice: ReturnType<typeof davClient>

beforeAll(async () => {
  files = new v2.VirtualFileSystem()
  const tree = treeOfFileSystem(files)
  server = await startServer({
    openHome: ({ username }) => (username === 'alice' ? tree : undefined),
  })
  const password = await server.addUser('alice')
  alice = davClient(`${server.url}/dav/files/alice/`, basic('alice', password))
})
afterAll(() => server.close())

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype></D:lockinfo>'

describe('a user whose home is a webdav-server file system', () => {
  it('writes, reads and describes', async () => {
    const put = await alice.put('a.txt', 'one')
    expect(put.status).toBe(201)
    const got = await alice.get('a.txt')
    expect(got.text).toBe('one')
    expect(got.headers['etag']).toBe(put.headers['etag'])
    expect((await alice.get('a.txt', { range: 'bytes=1-' })).text).toBe('ne')
    expect((await alice.propfind('', '1')).text).toContain('/dav/files/alice/a.txt')
    expect(Object.keys(files.resources)).toEqual(['/', '/a.txt'])
  })

  it('writes under a condition', async () => {
    const { headers } = await alice.put('c.txt', 'one')
    const ifMatch = { 'if-match': headers['etag'] ?? '' }
    expect((await alice.put('c.txt', 'two', ifMatch)).status).toBe(204)
    expect((await alice.put('c.txt', 'three', ifMatch)).status).toBe(412)
    expect((await alice.get('c.txt')).text).toBe('two')
  })

  it('makes, copies, moves and removes', async () => {
    expect((await alice.mkcol('d')).status).toBe(201)
    expect((await alice.put('d/x', 'x')).status).toBe(201)
    const to = (name: string): string => `${server.url}/dav/files/alice/${name}`
    expect((await alice.copyOrMove('COPY', 'd', to('e'))).status).toBe(201)
    expect((await alice.copyOrMove('MOVE', 'd', to('e'))).status).toBe(204)
    expect(hrefsOf(await alice.propfind('e', '1'))).toEqual([
      '/dav/files/alice/e/',
      '/dav/files/alice/e/x',
    ])
    expect((await alice.remove('e')).status).toBe(204)
    expect((await alice.propfind('e')).status).toBe(404)
  })

  it('is locked by our locks', async () => {
    await alice.put('l.txt', 'one')
    const headers = { 'content-type': 'application/xml', depth: '0' }
    const locked = await alice.call('LOCK', 'l.txt', { body: lockBody, headers })
    expect(locked.status).toBe(200)
    expect((await alice.put('l.txt', 'two')).status).toBe(423)
    const token = locked.headers['lock-token'] ?? ''
    expect((await alice.put('l.txt', 'two', { if: `(${token})` })).status).toBe(204)
    expect((await alice.call('LOCK', 'new', { body: lockBody, headers })).status).toBe(201)
    expect((await alice.get('new')).text).toBe('')
  })

  it('has dead properties that follow their resource', async () => {
    await alice.put('p.txt', 'one')
    const update =
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x">here</x></D:prop></D:set>' +
      '</D:propertyupdate>'
    expect((await alice.proppatch('p.txt', update)).status).toBe(207)
    await alice.copyOrMove('MOVE', 'p.txt', `${server.url}/dav/files/alice/q.txt`)
    expect((await alice.propfind('q.txt')).text).toContain('>here<')
  })

  it('leaves everybody else at home on disk', async () => {
    const password = await server.addUser('carol')
    await server.addFile('carol', 'here.txt', 'on disk')
    const carol = davClient(`${server.url}/dav/files/carol/`, basic('carol', password))
    expect((await carol.get('here.txt')).text).toBe('on disk')
    expect((await carol.get('a.txt')).status).toBe(404)
  })
})
