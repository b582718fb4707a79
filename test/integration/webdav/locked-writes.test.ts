import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { lockRequest, propertyOf, release, takeLock } from './locking.ts'
import { expectRefused, mine, startScratch, type Scratch, type Sent } from './support.ts'

let scratch: Scratch
let now = Date.parse('2026-11-23T12:00:00Z')

beforeAll(async () => {
  scratch = await startScratch({ clock: { now: () => now } })
})

afterAll(() => scratch.stop())

beforeEach(() => {
  for (const path of ['dir', 'free', 'directory', 'shared']) {
    rmSync(join(scratch.home, path), { recursive: true, force: true })
  }
  for (const path of ['dir/sub', 'free', 'shared']) {
    mkdirSync(join(scratch.home, path), { recursive: true })
  }
  for (const file of ['dir/a', 'dir/sub/deep', 'free/b', 'shared/note.txt']) {
    writeFileSync(join(scratch.home, file), file)
  }
})

// Every lock of a test has ended before the next one.
afterEach(() => {
  now += 48 * 3_600_000
})

const update =
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><x xmlns="urn:x"/></D:prop></D:set></D:propertyupdate>'

/** `METHOD path` or `METHOD path > destination`, below alice's tree. */
function request(text: string, condition?: string): Sent {
  const [, method = '', path = '', destination] = /^(\S+) (\S+)(?: > (\S+))?$/.exec(text) ?? []
  return {
    method,
    path: mine(path),
    as: 'alice',
    headers: {
      ...(destination !== undefined && { Destination: mine(destination) }),
      ...(condition !== undefined && { If: condition }),
      ...(['PROPPATCH', 'LOCK'].includes(method) && { 'Content-Type': 'application/xml' }),
    },
    ...(method === 'PUT' && { body: 'new' }),
    ...(method === 'PROPPATCH' && { body: update }),
    ...(method === 'LOCK' && { body: lockRequest('', 'alice').body }),
  }
}

/** What is locked, with which depth, what is tried, and the status with the token. */
const guarded: [string, string, string, number][] = [
  ['dir/a', '0', 'PUT dir/a', 204],
  ['dir/a', '0', 'DELETE dir/a', 204],
  ['dir/a', '0', 'PROPPATCH dir/a', 207],
  ['dir/a', '0', 'MOVE dir/a > free/a', 201],
  ['dir/a', '0', 'MOVE free/b > dir/a', 204],
  ['dir/a', '0', 'COPY free/b > dir/a', 204],
  // What is below is changed as well.
  ['dir/sub/deep', '0', 'DELETE dir', 204],
  ['dir/sub/deep', '0', 'MOVE dir > free/dir', 201],
  ['dir/sub/deep', '0', 'MOVE free > dir', 204],
  ['dir/sub/deep', '0', 'COPY free > dir/sub', 204],
  // RFC 4918 §7.5: everything in a locked collection is locked with it.
  ['dir', 'infinity', 'PUT dir/sub/deep', 204],
  ['dir', 'infinity', 'PUT dir/sub/new', 201],
  ['dir', 'infinity', 'MKCOL dir/sub/new', 201],
  ['dir', 'infinity', 'DELETE dir/sub/deep', 204],
  ['dir', 'infinity', 'PROPPATCH dir/sub', 207],
  ['dir', 'infinity', 'MOVE dir/sub/deep > free/deep', 201],
  ['dir', 'infinity', 'MOVE free/b > dir/sub/b', 201],
  ['dir', 'infinity', 'COPY free/b > dir/sub/b', 201],
  // RFC 4918 §7.4: the names in a locked collection stay, whatever the depth.
  ['dir', '0', 'PUT dir/new', 201],
  ['dir', '0', 'MKCOL dir/new', 201],
  ['dir', '0', 'LOCK dir/new', 201],
  ['dir', '0', 'DELETE dir/a', 204],
  ['dir', '0', 'MOVE dir/a > free/a', 201],
  ['dir', '0', 'MOVE free/b > dir/b', 201],
  ['dir', '0', 'COPY free/b > dir/b', 201],
  ['dir', '0', 'PROPPATCH dir', 207],
]

describe('S46: a locked resource', () => {
  it.each(guarded)('%s (depth %s) refuses %s without its token', async (root, depth, text, ok) => {
    const token = await takeLock(scratch, mine(root), 'alice', { headers: { Depth: depth } })
    const reply = await expectRefused(scratch, request(text), 423)
    expect(reply.body).toMatch(
      new RegExp(
        `<D:error xmlns:D="DAV:"><D:lock-token-submitted><D:href>${mine(root)}/?</D:href>` +
          '</D:lock-token-submitted></D:error>',
      ),
    )
    await expectRefused(scratch, request(text, '(<urn:uuid:0>) (Not <DAV:no-lock>)'), 423)
    // Denying a token is not presenting it.
    const denied = `(Not <${token}>) (Not <DAV:no-lock>)`
    await expectRefused(scratch, request(text, denied), 423)
    const tagged = `<${mine(root)}> (<${token}>)`
    expect((await scratch.send(request(text, tagged))).status).toBe(ok)
  })

  const unaffected: [string, string, string, number][] = [
    ['dir/a', '0', 'PUT dir/b', 201],
    ['dir/a', '0', 'COPY dir/a > free/a', 201],
    ['dir/a', '0', 'PROPPATCH dir', 207],
    ['dir', '0', 'PUT dir/a', 204],
    ['dir', '0', 'PROPPATCH dir/a', 207],
    ['dir', '0', 'COPY free/b > dir/a', 204],
    ['dir', '0', 'PUT dir/sub/new', 201],
    ['dir', 'infinity', 'COPY dir > free/copy', 201],
    ['dir', 'infinity', 'PUT directory', 201],
  ]

  it.each(unaffected)('%s (depth %s) does not mind %s', async (root, depth, text, ok) => {
    await takeLock(scratch, mine(root), 'alice', { headers: { Depth: depth } })
    expect((await scratch.send(request(text))).status).toBe(ok)
  })

  const upload = (length: number, sent: string): string =>
    `PUT ${mine('dir/a')} HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n` +
    `Authorization: Basic ${Buffer.from('alice:password').toString('base64')}\r\n\r\n${sent}`

  it('decides before any of the body has come', async () => {
    await takeLock(scratch, mine('dir/a'), 'alice')
    expect(await scratch.raw(upload(100_000_000, ''))).toMatch(/^HTTP\/1.1 423 /)
  })

  it('refuses an upload that ends after the lock was taken', async () => {
    const socket = connect(scratch.port, '127.0.0.1', () => socket.write(upload(20, '0123456789')))
    let heard = ''
    socket.on('data', (chunk) => (heard += chunk.toString()))
    await until(() => scratch.asked.filter((verb) => verb === 'hasLocks').length > 0)
    await takeLock(scratch, mine('dir/a'), 'alice')
    socket.write('0123456789')
    await until(() => heard !== '')
    socket.destroy()
    expect(heard).toMatch(/^HTTP\/1.1 423 /)
    const length = await propertyOf(scratch, mine('dir/a'), 'alice', 'D:getcontentlength')
    expect(length).toBe('<D:getcontentlength>5</D:getcontentlength>')
  })

  it('needs the tokens of source and destination', async () => {
    const source = await takeLock(scratch, mine('dir/a'), 'alice')
    const target = await takeLock(scratch, mine('free/b'), 'alice')
    const move = (condition: string): Sent => request('MOVE dir/a > free/b', condition)
    await expectRefused(scratch, move(`(<${source}>)`), 423)
    await expectRefused(scratch, move(`<${mine('free/b')}> (<${target}>)`), 423)
    const both = `<${mine('dir/a')}> (<${source}>) <${mine('free/b')}> (<${target}>)`
    expect((await scratch.send(move(both))).status).toBe(204)
  })

  it('§6.2: takes one token of several shared locks', async () => {
    const shared = { scope: 'shared' } as const
    const own = await takeLock(scratch, mine('shared/note.txt'), 'alice', shared)
    await takeLock(scratch, '/dav/ocm/note.txt', 'writer', shared)
    await expectRefused(scratch, request('PUT shared/note.txt'), 423)
    const put = await scratch.send(request('PUT shared/note.txt', `(<${own}>)`))
    expect(put.status).toBe(204)
  })

  it("§6.4: is not opened by somebody else's token", async () => {
    const token = await takeLock(scratch, '/dav/ocm/note.txt', 'writer')
    const sent = request('PUT shared/note.txt', `(<${token}>)`)
    const reply = await expectRefused(scratch, sent, 403)
    expect(reply.body).not.toContain('urn:uuid')
    const note = `<${mine('shared/note.txt')}> (<${token}>)`
    await expectRefused(scratch, request('DELETE shared', note), 403)
    await expectRefused(scratch, request('PUT shared/note.txt'), 423)
    await expectRefused(scratch, request('DELETE shared', `<${mine('x')}> (<${token}>)`), 412)
    const own: Sent = { ...sent, path: '/dav/ocm/note.txt', as: 'writer' }
    expect((await scratch.send(own)).status).toBe(204)
  })

  it('is locked alike for its owner and for whoever it is shared with', async () => {
    await takeLock(scratch, mine('shared'), 'alice')
    const put: Sent = { method: 'PUT', path: '/dav/ocm/note.txt', as: 'writer', body: 'x' }
    await expectRefused(scratch, put, 423)
    await expectRefused(scratch, { ...put, path: '/dav/ocm/new.txt' }, 423)
    await expectRefused(scratch, { ...put, method: 'MKCOL', body: '', path: '/dav/ocm/d' }, 423)
  })

  it('lets go of the locks of what is removed and of what is moved', async () => {
    const removed = await takeLock(scratch, mine('dir/a'), 'alice')
    await scratch.send(request('DELETE dir/a', `(<${removed}>)`))
    expect((await scratch.send(request('PUT dir/a'))).status).toBe(201)
    const moved = await takeLock(scratch, mine('dir/sub'), 'alice')
    await scratch.send(request('MOVE dir/sub > free/sub', `(<${moved}>)`))
    for (const path of ['free/sub', 'dir']) {
      const found = await propertyOf(scratch, mine(path), 'alice', 'D:lockdiscovery')
      expect(found).toBe('<D:lockdiscovery/>')
    }
  })

  it('§7.7: keeps the lock of a target that was replaced, not those of what it held', async () => {
    const token = await takeLock(scratch, mine('dir/a'), 'alice')
    const inner = await takeLock(scratch, mine('dir/sub/deep'), 'alice')
    await scratch.send(request('COPY free/b > dir/a', `<${mine('dir/a')}> (<${token}>)`))
    await scratch.send(request('COPY free > dir/sub', `<${mine('dir/sub/deep')}> (<${inner}>)`))
    await expectRefused(scratch, request('PUT dir/a'), 423)
    expect(await scratch.stored()).not.toContain(inner)
    await release(scratch, mine('dir/a'), 'alice', token)
  })
})

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}
