import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { NewShare } from '../../../src/shares/index.ts'
import { basic, davClient, hrefsOf } from '../../support/dav-client.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { addAlice } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let alices: TestServer
let bobs: TestServer
let files: ReturnType<typeof davClient>
let alice: ReturnType<typeof davClient>

const open = async (): Promise<void> => {
  const clock = fakeClock()
  const config = { outbound: { timeoutMs: 3000 } }
  alices = await startServer({ clock, courier: false })
  bobs = await startServer({ clock, courier: false, config })
  const password = await addAlice(alices)
  alice = davClient(`${alices.url}/dav/files/alice/`, basic('alice', password))
  const own = await bobs.addUser('bob')
  await bobs.addFile('bob', 'own.txt', 'my own')
  await bobs.addFile('bob', 'box/deep/x.txt', 'x')
  files = davClient(`${bobs.url}/dav/files/bob/`, basic('bob', own))
}

const close = async (): Promise<void> => {
  await bobs.close()
  await alices.close()
}

const to = (path: string): string => `${bobs.url}/dav/files/bob/${path}`

/** alice shares, bob accepts. */
async function give(wanted: Partial<NewShare> = {}) {
  const recipient = `bob@${bobs.authority}`
  const { shares } = alices.services()
  const { id } = await shares.createShare({
    owner: 'alice',
    path: '/Holiday',
    recipient,
    permissions: ['read', 'write'],
    ...wanted,
  })
  const { incoming, mounts } = bobs.services()
  const [row] = await incoming.findOffers(id, alices.authority)
  const accepted = await incoming.accept(row?.id ?? '')
  await mounts.stop()
  return { id, incomingId: accepted.id, path: `Shared/${accepted.mountName}` }
}

const namesAt = async (path: string): Promise<string[]> =>
  hrefsOf(await files.propfind(path, '1')).map((href) => href.replace('/dav/files/bob/', ''))

describe('a folder of another server, in a tree of ours', () => {
  let share: Awaited<ReturnType<typeof give>>

  beforeAll(async () => {
    await open()
    expect((await files.propfind('Shared/')).status).toBe(404)
    share = await give()
  })
  afterAll(close)

  it('stands in the folder of shares, which is listed without asking anybody', async () => {
    expect(share.path).toBe('Shared/Holiday')
    expect(await namesAt('')).toEqual(expect.arrayContaining(['Shared/', 'own.txt', 'box/']))
    const before = bobs.outboundCalls()
    expect(await namesAt('Shared/')).toEqual(['Shared/', 'Shared/Holiday/'])
    expect((await files.get('Shared/')).text).toContain('Holiday')
    expect(bobs.outboundCalls()).toBe(before)
  })

  it('is browsed as our own, with the sizes, tags and times of its server', async () => {
    const names = await namesAt('Shared/Holiday/')
    expect(names.sort()).toEqual([
      'Shared/Holiday/',
      'Shared/Holiday/beach.txt',
      'Shared/Holiday/more/',
    ])
    const theirs = await alice.propfind('Holiday/beach.txt')
    const ours = await files.propfind('Shared/Holiday/beach.txt')
    for (const name of ['getetag', 'getcontentlength', 'getlastmodified']) {
      const [, value] = new RegExp(`<D:${name}>(.*?)</D:${name}>`).exec(theirs.text) ?? []
      expect(ours.text).toContain(`<D:${name}>${value}</D:${name}>`)
    }
    expect((await files.propfind('Shared/Holiday/none')).status).toBe(404)
    expect((await files.get('Shared/Holiday/more/')).text).toContain('deep.txt')
  })

  it('is read, in part and under conditions', async () => {
    const whole = await files.get('Shared/Holiday/beach.txt')
    expect([whole.status, whole.text]).toEqual([200, 'sun and sand'])
    const etag = whole.headers['etag'] ?? ''
    const part = await files.get('Shared/Holiday/beach.txt', { range: 'bytes=4-6' })
    expect([part.status, part.text]).toEqual([206, 'and'])
    const parts = await files.get('Shared/Holiday/beach.txt', { range: 'bytes=0-2,8-' })
    expect(parts.status).toBe(206)
    const kept = await files.get('Shared/Holiday/beach.txt', { 'if-none-match': etag })
    expect(kept.status).toBe(304)
    const other = await files.get('Shared/Holiday/beach.txt', { 'if-match': '"other"' })
    expect(other.status).toBe(412)
    const beyond = await files.get('Shared/Holiday/beach.txt', { range: 'bytes=99-' })
    expect(beyond.status).toBe(416)
    const head = await files.call('HEAD', 'Shared/Holiday/beach.txt')
    expect([head.status, head.headers['content-length']]).toEqual([200, '12'])
  })

  it('is written, and its owner sees it', async () => {
    const put = await files.put('Shared/Holiday/new.txt', 'one')
    expect(put.status).toBe(201)
    const etag = put.headers['etag'] ?? ''
    expect((await alice.get('Holiday/new.txt')).text).toBe('one')
    const fields = { 'if-match': etag }
    expect((await files.put('Shared/Holiday/new.txt', 'two', fields)).status).toBe(204)
    expect((await files.put('Shared/Holiday/new.txt', 'three', fields)).status).toBe(412)
    const absent = { 'if-none-match': '*' }
    expect((await files.put('Shared/Holiday/new.txt', 'four', absent)).status).toBe(412)
    expect((await files.put('Shared/Holiday/none/new.txt', 'x')).status).toBe(409)
    expect((await files.put('Shared/Holiday/more/', 'x')).status).toBe(405)
    expect((await files.mkcol('Shared/Holiday/made')).status).toBe(201)
    expect((await files.mkcol('Shared/Holiday/made')).status).toBe(405)
    const moved = await files.copyOrMove(
      'MOVE',
      'Shared/Holiday/new.txt',
      to('Shared/Holiday/made/moved.txt'),
    )
    expect(moved.status).toBe(201)
    const copied = await files.copyOrMove('COPY', 'Shared/Holiday/made', to('Shared/Holiday/copy'))
    expect(copied.status).toBe(201)
    expect((await alice.get('Holiday/copy/moved.txt')).text).toBe('two')
    expect((await files.remove('Shared/Holiday/made')).status).toBe(204)
    expect((await files.remove('Shared/Holiday/made')).status).toBe(404)
    expect((await files.remove('Shared/Holiday/copy')).status).toBe(204)
    expect((await alice.propfind('Holiday/copy')).status).toBe(404)
  })

  it('takes from our own files and gives to them', async () => {
    const out = await files.copyOrMove('COPY', 'box', to('Shared/Holiday/box'))
    expect(out.status).toBe(201)
    expect((await alice.get('Holiday/box/deep/x.txt')).text).toBe('x')
    const back = await files.copyOrMove('MOVE', 'Shared/Holiday/box', to('back'))
    expect([back.status, back.text]).toEqual([201, ''])
    expect((await files.get('back/deep/x.txt')).text).toBe('x')
    expect((await alice.propfind('Holiday/box')).status).toBe(404)
    expect((await files.remove('back')).status).toBe(204)
  })

  it('keeps what clients say of files where the files are', async () => {
    const set =
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x:mood xmlns:x="urn:x">sunny</x:mood></D:prop></D:set></D:propertyupdate>'
    const ask = '<D:propfind xmlns:D="DAV:"><D:prop><x:mood xmlns:x="urn:x"/></D:prop></D:propfind>'
    const patched = await files.proppatch('Shared/Holiday/beach.txt', set)
    expect([patched.status, patched.text]).toEqual([207, expect.stringContaining('200 OK')])
    expect((await alice.propfind('Holiday/beach.txt', '0', ask)).text).toContain('sunny')
    expect((await files.propfind('Shared/Holiday/beach.txt', '0', ask)).text).toContain('sunny')
    expect((await files.propfind('Shared/Holiday', '1', ask)).text).toContain('sunny')
    expect((await files.propfind('Shared/Holiday', '1')).text).toContain('sunny')
    const stored = bobs.services().db.raw.reader.prepare('SELECT * FROM dead_properties').all()
    expect(stored).toEqual([])
  })

  it('is locked here, and locks outlive a restart', async () => {
    const lockBody =
      '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'
    const xml = { 'content-type': 'application/xml', depth: '0' }
    const path = 'Shared/Holiday/beach.txt'
    const locked = await files.call('LOCK', path, { body: lockBody, headers: xml })
    expect(locked.status).toBe(200)
    const token = locked.headers['lock-token'] as string
    expect((await files.put(path, 'rain')).status).toBe(423)
    await bobs.restart()
    const before = bobs.outboundCalls()
    await bobs.services().resources.recover(async (userId) => {
      const { users, userTreeOf } = bobs.services()
      const user = await users.findUserById(userId)
      return user && userTreeOf(user).glance
    })
    expect(bobs.outboundCalls()).toBe(before)
    expect((await files.put(path, 'rain')).status).toBe(423)
    expect((await files.put(path, 'sun', { if: `(${token})` })).status).toBe(204)
    const unlocked = await files.call('UNLOCK', path, { headers: { 'lock-token': token } })
    expect(unlocked.status).toBe(204)
  })

  it('gets another name, and goes nowhere else', async () => {
    const moved = await files.copyOrMove('MOVE', 'Shared/Holiday', to('Shared/Sommer%20%C3%BC'))
    expect(moved.status).toBe(201)
    expect((await files.get('Shared/Sommer%20%C3%BC/more/deep.txt')).text).toBe('deep')
    expect((await files.propfind('Shared/Holiday')).status).toBe(404)
    const out = await files.copyOrMove('MOVE', 'Shared/Sommer%20%C3%BC', to('mine'))
    expect([out.status, out.text]).toEqual([403, expect.stringContaining('copy it')])
    const back = await files.copyOrMove('MOVE', 'Shared/Sommer%20%C3%BC', to('Shared/Holiday'))
    expect(back.status).toBe(201)
  })

  it('is given back by removing it, and its owner hears of it', async () => {
    expect((await files.remove('Shared/Holiday')).status).toBe(204)
    expect((await files.propfind('Shared/')).status).toBe(404)
    expect((await alice.get('Holiday/more/deep.txt')).text).toBe('deep')
    expect((await alices.services().shares.getShare(share.id)).state).toBe('declined')
  })
})

describe('what was shared differently', () => {
  beforeAll(() => open())
  afterAll(close)

  it('for reading only: a write is refused before its body is read', async () => {
    const { path } = await give({ permissions: ['read'] })
    const before = bobs.outboundCalls()
    const refused = [
      await files.put(`${path}/beach.txt`, 'rain'),
      await files.put(`${path}/new.txt`, 'x'),
      await files.mkcol(`${path}/made`),
      await files.remove(`${path}/beach.txt`),
      await files.copyOrMove('COPY', 'own.txt', to(`${path}/own.txt`)),
      await files.copyOrMove('MOVE', `${path}/beach.txt`, to('beach.txt')),
      await files.proppatch(`${path}/beach.txt`, '<x/>'),
      await files.call('LOCK', `${path}/beach.txt`),
    ]
    for (const { status, text, headers } of refused) {
      expect([status, text]).toEqual([403, expect.stringContaining('reading only')])
      expect(headers['www-authenticate']).toBeUndefined()
    }
    expect(bobs.outboundCalls()).toBe(before)
    expect((await files.copyOrMove('COPY', `${path}/beach.txt`, to('mine.txt'))).status).toBe(201)
    expect((await files.get('mine.txt')).text).toBe('sun and sand')
    const ask =
      '<D:propfind xmlns:D="DAV:"><D:prop><o:permissions xmlns:o="http://owncloud.org/ns"/></D:prop></D:propfind>'
    const shown = /<oc:permissions>(.*?)</
    const lettersAt = async (at: string, depth: string): Promise<string[]> =>
      [...(await files.propfind(at, depth, ask)).text.matchAll(new RegExp(shown, 'g'))].map(
        ([, letters = '']) => letters,
      )
    expect(await lettersAt('Shared', '1')).toEqual(['RGDNVCK', 'G'])
    expect(await lettersAt(path, '0')).toEqual(['G'])
    expect(await lettersAt(`${path}/beach.txt`, '0')).toEqual(['G'])
    expect((await files.remove(path)).status).toBe(204)
  })

  it('one file: it is the file itself', async () => {
    const { path } = await give({ path: '/Holiday/beach.txt' })
    expect(path).toBe('Shared/beach.txt')
    expect(await namesAt('Shared/')).toEqual(['Shared/', 'Shared/beach.txt'])
    const listed = await files.propfind('Shared', '1')
    expect(listed.text).toContain('<D:getcontentlength>12<')
    expect(await files.get(path)).toMatchObject({ status: 200, text: 'sun and sand' })
    expect((await files.get(path, { range: 'bytes=0-2' })).text).toBe('sun')
    expect((await files.put(path, 'rain')).status).toBe(204)
    expect((await alice.get('Holiday/beach.txt')).text).toBe('rain')
    await bobs.services().mounts.stop()
    expect((await files.propfind('Shared', '1')).text).toContain('<D:getcontentlength>4<')
    expect((await files.get(`${path}/x`)).status).toBe(404)
    expect((await files.put(`${path}/x`, 'x')).status).toBe(409)
    expect((await files.copyOrMove('COPY', path, to('copy.txt'))).status).toBe(201)
    expect((await files.get('copy.txt')).text).toBe('rain')
    expect((await files.remove(path)).status).toBe(204)
    expect((await alice.get('Holiday/beach.txt')).status).toBe(200)
  })

  it('taken back by its owner: it is gone', async () => {
    const { id, path } = await give()
    expect((await files.get(`${path}/more/deep.txt`)).status).toBe(200)
    await alices.services().shares.revokeShare(id)
    expect((await files.get(`${path}/more/deep.txt`)).status).toBe(404)
    expect((await files.propfind('Shared/')).status).toBe(404)
  })

  it('taken back while nobody told us: it says so, and never that our user is unknown', async () => {
    const { id, path } = await give()
    await files.get(`${path}/more/deep.txt`)
    alices
      .services()
      .db.raw.writer.prepare(
        `UPDATE outgoing_shares SET state = 'revoked', revoked_at = 1 WHERE id = ?`,
      )
      .run(id)
    const answer = await files.get(`${path}/more/deep.txt`)
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining('no longer')])
    expect(answer.headers['www-authenticate']).toBeUndefined()
    expect(await namesAt('Shared/')).toContain(`${path}/`)
    expect((await files.remove(path)).status).toBe(204)
  })

  it('until a day: afterwards it is not there', async () => {
    const expiresAt = alices.clock.now() + 3_600_000
    const { path } = await give({ expiresAt })
    expect((await files.get(`${path}/more/deep.txt`)).status).toBe(200)
    alices.clock.advance('2h')
    expect((await files.get(`${path}/more/deep.txt`)).status).toBe(404)
    expect((await files.propfind('Shared/')).status).toBe(404)
  })

  it("beside files of one's own: it gets a name that none of them has", async () => {
    await bobs.addFile('bob', 'Shared/holiday/own.txt', 'my own')
    expect((await give()).path).toBe('Shared/Holiday (2)')
  })
})

describe('a server that is away', () => {
  beforeAll(() => open())
  afterAll(() => bobs.close())

  it('leaves everything else as it is', async () => {
    const { path, incomingId } = await give()
    await alices.close()
    const down = await files.propfind(`${path}/`, '1')
    expect([down.status, down.text]).toEqual([503, expect.stringContaining('cannot be reached')])
    expect(Number(down.headers['retry-after'])).toBeGreaterThan(0)
    for (let attempt = 0; attempt < 5; attempt += 1) await files.get(`${path}/beach.txt`)
    const before = bobs.outboundCalls()
    expect((await files.get(`${path}/beach.txt`)).status).toBe(503)
    expect((await files.put(`${path}/beach.txt`, 'x')).status).toBe(503)
    expect(bobs.outboundCalls()).toBe(before)
    expect(await namesAt('Shared/')).toEqual(['Shared/', `${path}/`])
    expect((await files.get('own.txt')).text).toBe('my own')
    expect((await files.copyOrMove('MOVE', path, to('Shared/Away'))).status).toBe(201)
    expect((await files.remove('Shared/Away')).status).toBe(204)
    expect((await bobs.services().incoming.get(incomingId)).state).toBe('declined')
  })
})
