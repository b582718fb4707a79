import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  lockInfo,
  lockRequest,
  propertyOf,
  release,
  takeLock,
  tokenOf,
  unlockRequest,
} from './locking.ts'
import { expectRefused, mine, startScratch, type Scratch } from './support.ts'

let scratch: Scratch
let now = Date.parse('2026-11-23T12:00:00Z')
const hour = 3_600_000

beforeAll(async () => {
  scratch = await startScratch({ clock: { now: () => now } })
  writeFileSync(join(scratch.home, 'a.txt'), 'a')
  writeFileSync(join(scratch.home, 'shared', 'note.txt'), 'note')
  mkdirSync(join(scratch.home, 'dir', 'sub'), { recursive: true })
  writeFileSync(join(scratch.home, 'dir', 'sub', 'deep.txt'), 'deep')
})

afterAll(() => scratch.stop())

// Every lock of a test has ended before the next one.
afterEach(() => {
  now += 48 * hour
})

const a = mine('a.txt')
const discovery = (path = a, as: 'alice' | 'writer' = 'alice'): Promise<string> =>
  propertyOf(scratch, path, as, 'D:lockdiscovery')

describe('LOCK', () => {
  it('locks a file and says what it granted', async () => {
    const owner = '<D:owner><D:href>mailto:alice@example.org</D:href></D:owner>'
    const reply = await scratch.send(lockRequest(a, 'alice', { owner }))
    expect(reply.status).toBe(200)
    const token = tokenOf(reply)
    expect(reply.body).toContain(
      '<D:prop xmlns:D="DAV:"><D:lockdiscovery><D:activelock>' +
        '<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>' +
        '<D:depth>infinity</D:depth><D:owner xmlns:D="DAV:">' +
        '<D:href>mailto:alice@example.org</D:href></D:owner>' +
        `<D:timeout>Second-1800</D:timeout><D:locktoken><D:href>${token}</D:href></D:locktoken>` +
        `<D:lockroot><D:href>${a}</D:href></D:lockroot></D:activelock></D:lockdiscovery></D:prop>`,
    )
    expect(await discovery()).toContain(token)
  })

  it('§7.3: makes an empty file where there was nothing', async () => {
    const reply = await scratch.send(lockRequest(mine('new.txt'), 'alice'))
    expect(reply.status).toBe(201)
    expect(readFileSync(join(scratch.home, 'new.txt'), 'utf8')).toBe('')
    const headers = { If: `(<${tokenOf(reply)}>)` }
    const put = { method: 'PUT', path: mine('new.txt'), as: 'alice', headers, body: 'x' } as const
    expect((await scratch.send(put)).status).toBe(204)
  })

  it('R13: gives one of twenty the exclusive lock', async () => {
    for (const path of [a, mine('nothing-yet.txt')]) {
      const race = Array.from({ length: 20 }, () => scratch.send(lockRequest(path, 'alice')))
      const statuses = (await Promise.all(race)).map(({ status }) => status).sort()
      expect(statuses.slice(1)).toEqual(Array<number>(19).fill(423))
      expect([200, 201]).toContain(statuses[0])
    }
  })

  it('§6.2: lets shared locks be together, and nothing else', async () => {
    const shared = { scope: 'shared' } as const
    const note = '/dav/ocm/note.txt'
    await takeLock(scratch, mine('shared/note.txt'), 'alice', shared)
    await takeLock(scratch, note, 'writer', shared)
    const reply = await expectRefused(scratch, lockRequest(note, 'writer'), 423)
    expect(reply.body).toContain(
      `<D:no-conflicting-lock><D:href>${note}</D:href></D:no-conflicting-lock>`,
    )
    await takeLock(scratch, a, 'alice')
    await expectRefused(scratch, lockRequest(a, 'alice', shared), 423)
  })

  it('§9.10.3: names the member that is locked already', async () => {
    await takeLock(scratch, mine('dir/sub/deep.txt'), 'alice')
    const sent = lockRequest(mine('dir'), 'alice')
    const reply = await expectRefused(scratch, sent, 207)
    expect(reply.headers['lock-token']).toBeUndefined()
    expect(reply.body).toContain(
      `<D:href>${mine('dir/sub/deep.txt')}</D:href><D:status>HTTP/1.1 423 Locked</D:status>`,
    )
    expect(reply.body).toContain(
      `<D:href>${mine('dir/')}</D:href><D:status>HTTP/1.1 424 Failed Dependency</D:status>`,
    )
    await takeLock(scratch, mine('dir'), 'alice', { headers: { Depth: '0' } })
  })

  it('§7.4: protects everything below, whoever asks', async () => {
    await takeLock(scratch, mine('dir'), 'alice')
    const reply = await expectRefused(scratch, lockRequest(mine('dir/sub/deep.txt'), 'alice'), 423)
    expect(reply.body).toContain(`<D:href>${mine('dir/')}</D:href>`)
    const found = await discovery(mine('dir/sub/deep.txt'))
    expect(found).toContain(`<D:lockroot><D:href>${mine('dir/')}</D:href></D:lockroot>`)
  })

  it('refuses whoever may only read', async () => {
    await expectRefused(scratch, lockRequest('/dav/ocm/note.txt', 'reader'), 403)
    await expectRefused(scratch, lockRequest('/dav/ocm/new.txt', 'reader'), 403)
    await expectRefused(scratch, unlockRequest('/dav/ocm/note.txt', 'reader', 'urn:uuid:0'), 403)
  })

  const word = '<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>'
  const longOwner = `<D:owner>${'x'.repeat(5000)}</D:owner>`
  const twoScopes = lockInfo().replace('<D:exclusive/>', '<D:exclusive/><D:shared/>')
  it.each([
    ['Depth 1', { headers: { Depth: '1' } }, 400],
    ['no body and no token', { body: '' }, 400],
    ['another root', { body: `<D:lock xmlns:D="DAV:">${word}</D:lock>` }, 400],
    ['no scope', { body: '<D:lockinfo xmlns:D="DAV:"/>' }, 400],
    ['a scope of its own', { body: lockInfo().replace('exclusive', 'local') }, 400],
    ['a type of its own', { body: lockInfo().replace('D:write', 'D:read') }, 400],
    ['two scopes', { body: twoScopes }, 400],
    ['an endless owner', { body: lockInfo({ owner: longOwner }) }, 400],
    ['no XML', { body: 'lock' }, 400],
    ['a document type', { body: `<!DOCTYPE x>${lockInfo()}` }, 403],
    ['a missing parent', { path: mine('none/x.txt') }, 409],
    ['a new name that ends in a slash', { path: mine('none/') }, 409],
    ['a bad condition', { headers: { If: '(["x"])' } }, 412],
  ] as const)('refuses %s', async (_, change, status) => {
    await expectRefused(scratch, { ...lockRequest(a, 'alice'), ...change }, status)
  })

  it.each([
    [undefined, 1800],
    ['Second-60', 60],
    ['Second-4100000000', 86_400],
    ['Infinite', 86_400],
    ['Infinite, Second-4100000000', 86_400],
    ['Extend, Second-90', 90],
    ['Second-0', 1],
    ['Second-', 1800],
    ['soon', 1800],
  ])('§10.7: grants %s for %d seconds', async (timeout, seconds) => {
    const headers = timeout === undefined ? {} : { Timeout: timeout }
    const reply = await scratch.send(lockRequest(a, 'alice', { headers }))
    expect(reply.body).toContain(`<D:timeout>Second-${seconds}</D:timeout>`)
  })

  it('ends when its time is over', async () => {
    const put = { method: 'PUT', path: a, as: 'alice', body: 'x' } as const
    await takeLock(scratch, a, 'alice', { headers: { Timeout: 'Second-60' } })
    now += 59_000
    expect(await discovery()).toContain('Second-1<')
    await expectRefused(scratch, put, 423)
    now += 1000
    expect(await discovery()).toBe('<D:lockdiscovery/>')
    expect((await scratch.send(put)).status).toBe(204)
    await takeLock(scratch, a, 'alice')
    // The old one is gone for good.
    const rows: unknown = JSON.parse(await scratch.stored())
    expect(rows).toMatchObject([[{ path: '/a.txt/' }], [], [], [{}]])
  })

  it('outlives a restart', async () => {
    const token = await takeLock(scratch, a, 'alice')
    scratch.restart()
    await expectRefused(scratch, { method: 'DELETE', path: a, as: 'alice' }, 423)
    await expectRefused(scratch, lockRequest(a, 'alice'), 423)
    await release(scratch, a, 'alice', token)
  })

  it('has a bound for each holder', async () => {
    const shared = { scope: 'shared' } as const
    const lockOnce = () => scratch.send(lockRequest(a, 'alice', shared))
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 50 }, lockOnce))
    await expectRefused(scratch, lockRequest(a, 'alice', shared), 507)
    await takeLock(scratch, '/dav/ocm/note.txt', 'writer', shared)
  }, 60_000)
})

describe('refreshing', () => {
  const refresh = (path: string, as: 'alice' | 'writer', condition: string) => ({
    method: 'LOCK',
    path,
    as,
    headers: { If: condition, Timeout: 'Second-7200' },
  })

  it('§9.10.2: begins the time anew, also through a member', async () => {
    const token = await takeLock(scratch, mine('dir'), 'alice')
    now += 1_700_000
    for (const path of [mine('dir'), mine('dir/sub/deep.txt')]) {
      const reply = await scratch.send(refresh(path, 'alice', `(<${token}>)`))
      expect([reply.status, reply.headers['lock-token']]).toEqual([200, undefined])
      expect(reply.body).toContain('<D:timeout>Second-7200</D:timeout>')
    }
    now += 7_000_000
    expect(await discovery(mine('dir/sub'))).toContain('Second-200<')
  })

  it('refuses what is not a lock of the resource', async () => {
    const token = await takeLock(scratch, mine('dir'), 'alice')
    await expectRefused(scratch, refresh(a, 'alice', `(<${token}>)`), 412)
    await expectRefused(scratch, refresh(mine('dir'), 'alice', '(<urn:uuid:0>)'), 412)
    await expectRefused(scratch, refresh(mine('dir'), 'alice', '(Not <DAV:no-lock>)'), 400)
  })

  it("§6.4: refuses somebody else's", async () => {
    const token = await takeLock(scratch, mine('shared/note.txt'), 'alice')
    await expectRefused(scratch, refresh('/dav/ocm/note.txt', 'writer', `(<${token}>)`), 403)
  })
})

describe('UNLOCK', () => {
  it('frees the resource, also through a member', async () => {
    const token = await takeLock(scratch, mine('dir'), 'alice')
    await release(scratch, mine('dir/sub/deep.txt'), 'alice', token)
    expect(await discovery(mine('dir'))).toBe('<D:lockdiscovery/>')
    const reply = await expectRefused(scratch, unlockRequest(mine('dir'), 'alice', token), 409)
    expect(reply.body).toContain('<D:lock-token-matches-request-uri/>')
  })

  it('refuses what it cannot mean', async () => {
    const token = await takeLock(scratch, a, 'alice')
    await expectRefused(scratch, unlockRequest(mine('dir'), 'alice', token), 409)
    await expectRefused(scratch, unlockRequest(a, 'alice', 'urn:uuid:0'), 409)
    await expectRefused(scratch, unlockRequest(mine('missing'), 'alice', token), 404)
    for (const field of ['', token, `<${token}`, `<${token}> <${token}>`, '<>']) {
      const headers = { 'Lock-Token': field }
      await expectRefused(scratch, { method: 'UNLOCK', path: a, as: 'alice', headers }, 400)
    }
    await expectRefused(scratch, { method: 'UNLOCK', path: a, as: 'alice' }, 400)
    await expectRefused(scratch, { ...unlockRequest(a, 'alice', token), body: 'x' }, 415)
  })

  it("§6.4: refuses somebody else's token", async () => {
    const token = await takeLock(scratch, '/dav/ocm/note.txt', 'writer')
    await expectRefused(scratch, unlockRequest(mine('shared/note.txt'), 'alice', token), 403)
    await release(scratch, '/dav/ocm/note.txt', 'writer', token)
  })
})

describe('lockdiscovery', () => {
  it('shows a token to its holder alone', async () => {
    const owner = '<D:owner>Bob</D:owner>'
    const token = await takeLock(scratch, '/dav/ocm/note.txt', 'writer', { owner })
    expect(await discovery('/dav/ocm/note.txt', 'writer')).toContain(token)
    const seen = await discovery(mine('shared/note.txt'))
    expect(seen).toContain('<D:owner xmlns:D="DAV:">Bob</D:owner>')
    expect(seen).toContain(`<D:lockroot><D:href>${mine('shared/note.txt')}</D:href>`)
    expect(seen).not.toContain('urn:uuid')
    const sent = { method: 'PROPFIND', path: mine('shared'), headers: { Depth: '1' } }
    const listed = await scratch.send({ ...sent, as: 'alice' })
    expect(listed.body).toContain('<D:activelock>')
    expect(listed.body).not.toContain('urn:uuid')
  })

  it('shows nothing of what lies above a share', async () => {
    await takeLock(scratch, mine(''), 'alice')
    const seen = await discovery('/dav/ocm/note.txt', 'writer')
    expect(seen).toContain('<D:lockroot><D:href>/dav/ocm/</D:href></D:lockroot>')
    const put = { method: 'PUT', path: '/dav/ocm/note.txt', as: 'writer', body: 'x' } as const
    const reply = await expectRefused(scratch, put, 423)
    expect(reply.body).toContain('<D:href>/dav/ocm/</D:href>')
    expect(existsSync(join(scratch.home, 'shared', 'note.txt'))).toBe(true)
  })

  it('offers locks to those who may write', async () => {
    const supported = (path: string, as: 'writer' | 'reader') =>
      propertyOf(scratch, path, as, 'D:supportedlock')
    expect(await supported('/dav/ocm/note.txt', 'writer')).toMatch(/exclusive.*shared/)
    expect(await supported('/dav/ocm/note.txt', 'reader')).toBe('<D:supportedlock/>')
  })
})
