import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { basic, bearer, davClient, hrefsOf } from '../../support/dav-client.ts'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'
import type { Door } from '../../support/peer/dav-sender.ts'

let stage: MountStage

beforeAll(async () => {
  stage = await mountStage()
})

afterAll(() => stage.close())

/** What the other tests of this folder stand on is itself looked at from outside. */
describe('a sender that is no davmesh', () => {
  it('is a WebDAV server', async () => {
    const { sender } = await stage.mount()
    const dav = davClient(`${sender.url}/remote/trip/`, bearer(sender.secret))
    const root = await dav.propfind('', '1')
    expect([root.status, hrefsOf(root).sort()]).toEqual([
      207,
      ['/remote/trip/', ...['beach.txt', 'more/', 'ten.txt'].map((name) => `/remote/trip/${name}`)],
    ])
    expect((await dav.get('ten.txt', { range: 'bytes=2-4' })).text).toBe('234')
    expect((await dav.put('new%20%231.txt', 'new')).status).toBe(201)
    expect((await dav.put('new%20%231.txt', 'x', { 'if-none-match': '*' })).status).toBe(412)
    expect((await dav.mkcol('a')).status).toBe(201)
    const to = `${sender.url}/remote/trip/a/moved.txt`
    expect((await dav.copyOrMove('MOVE', 'new%20%231.txt', to)).status).toBe(201)
    expect((await dav.remove('more')).status).toBe(204)
    const patch =
      '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><x:colour xmlns:x="urn:x">red</x:colour></d:prop></d:set></d:propertyupdate>'
    expect((await dav.proppatch('a/moved.txt', patch)).status).toBe(207)
    expect((await dav.propfind('a/moved.txt')).text).toContain('>red</x:colour>')
    expect(sender.store.list()).toEqual(['a/', 'a/moved.txt', 'beach.txt', 'ten.txt'])
    expect(sender.store.read('a/moved.txt')).toBe('new')
  })

  it.each<[Door, string, number]>([
    ['basic', 'Basic', 207],
    ['basic', 'Bearer', 401],
    ['named-basic', 'Basic', 207],
    ['bearer', 'Bearer', 207],
    ['bearer', 'Basic', 401],
    ['exchange', 'Basic', 207],
    ['strict', 'Bearer', 401],
  ])('whose door is %s answers the secret as %s with %i', async (door, scheme, status) => {
    const { sender } = await stage.mount({ door })
    const credential = scheme === 'Basic' ? basic(sender.secret, '') : bearer(sender.secret)
    const dav = davClient(`${sender.url}/remote/trip/`, credential)
    expect((await dav.propfind()).status).toBe(status)
  })
})
