import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { lockInfo, propertyOf } from '../locking.ts'
import { startScratch, type Scratch } from '../support.ts'
import { asking, clientOf, places, type Client } from './client.ts'

/** What Microsoft Office and LibreOffice are known to send for a document that others edit too. */
let scratch: Scratch
let now = Date.parse('2026-11-23T09:00:00Z')
let word: Client
let second: Client

beforeAll(async () => {
  scratch = await startScratch({ clock: { now: () => now } })
})

afterAll(() => scratch.stop())

const minutes = 60_000
const always = {
  'User-Agent': 'Microsoft Office Word 2014 (16.0.17328) Windows NT 10.0',
  'X-Office-Major-Version': '16',
  'X-MS-CookieUri-Requested': 't',
  'X-FeatureVersion': '1',
  translate: 'f',
}
const document = 'Plan%202027.docx'

const lock = (client: Client, name: string, seconds = 3600): Promise<string> =>
  client.lock(document, 200, {
    headers: { 'Content-Type': 'text/xml', Depth: '0', Timeout: `Second-${seconds}` },
    body: lockInfo({ owner: `<D:owner><D:href>${name}</D:href></D:owner>` }),
  })

const onDisk = (): string => readFileSync(join(scratch.home, 'shared', 'Plan 2027.docx'), 'utf8')

describe.each(places)('an office program, as $who', ({ as, base }) => {
  const [other = places[0]] = places.filter((place) => place.as !== as)

  beforeEach(() => {
    // Every lock of the test before has ended.
    now += 48 * 60 * minutes
    writeFileSync(join(scratch.home, 'shared', 'Plan 2027.docx'), 'first')
    word = clientOf(scratch, { as, base, always })
    second = clientOf(scratch, { as: other.as, base: other.base, always })
  })

  it('opens: OPTIONS of the folder, HEAD, LOCK, GET', async () => {
    const options = await word.step('OPTIONS', '', 200)
    expect(options.headers['ms-author-via']).toBe('DAV')
    const { headers } = await word.step('HEAD', document, 200)
    const token = await lock(word, 'Alice Example')
    const read = await word.step('GET', document, 200)
    expect([read.body, read.headers.etag]).toEqual(['first', headers.etag])
    const asked = { headers: { Depth: '0' }, body: asking(['lockdiscovery', 'supportedlock']) }
    const { body } = await word.step('PROPFIND', document, 207, asked)
    expect(body).toMatch(/Alice Example.*Second-3600.*supportedlock.*exclusive/s)
    await word.unlock(document, token)
  })

  it('saves, holds the lock by refreshing it, saves again, closes', async () => {
    const token = await lock(word, 'Alice')
    const If = `(<${token}>)`
    await word.step('PUT', document, 204, { headers: { If }, body: 'second' })
    for (let count = 0; count < 5; count++) {
      now += 50 * minutes
      const refresh = { headers: { If, Timeout: 'Second-3600', 'Content-Length': '0' } }
      const { body, headers } = await word.step('LOCK', document, 200, refresh)
      expect(body).toContain('<D:timeout>Second-3600</D:timeout>')
      expect(body).toContain(token)
      expect(headers['lock-token']).toBeUndefined()
    }
    await word.step('PUT', document, 204, { headers: { If }, body: 'third' })
    await word.unlock(document, token)
    await second.step('PUT', document, 204, { body: 'somebody else' })
  })

  it('lets a second user read meanwhile, and tells who is editing', async () => {
    const token = await lock(word, 'Alice Example')
    await second.step('GET', document, 200)
    const refused = await second.step('LOCK', document, 423, {
      headers: { 'Content-Type': 'text/xml', Depth: '0', Timeout: 'Second-3600' },
      body: lockInfo(),
    })
    expect(refused.body).toContain('<D:no-conflicting-lock>')
    const path = other.base + document
    const seen = await propertyOf(scratch, path, other.as, 'D:lockdiscovery')
    expect(seen).toContain('Alice Example')
    expect(seen).not.toContain(token)
    const attempts = [
      ['PUT', { body: 'mine' }],
      ['DELETE', {}],
      ['MOVE', { headers: { Destination: second.url('gone.docx') } }],
    ] as const
    for (const [method, more] of attempts) {
      const reply = await second.step(method, document, 423, more)
      expect(reply.body).toContain(`<D:href>${path}</D:href>`)
    }
    // A copy beside it is what the program offers then.
    await second.step('PUT', 'Plan%202027%20(copy).docx', 201, { body: 'copy' })
    await second.step('DELETE', 'Plan%202027%20(copy).docx', 204)
    expect(onDisk()).toBe('first')
    await word.unlock(document, token)
    await second.unlock(document, await lock(second, 'Bob'))
  })

  it('saves under a temporary name and moves it onto the locked document', async () => {
    const token = await lock(word, 'Alice')
    const temporary = '~%24Plan%202027.tmp'
    await word.step('PUT', temporary, 201, { body: 'newer' })
    const headers = { Destination: word.url(document), Overwrite: 'T' }
    await word.step('MOVE', temporary, 423, { headers })
    // The token of the target is not a token of the source.
    await word.step('MOVE', temporary, 412, { headers: { ...headers, If: `(<${token}>)` } })
    expect(onDisk()).toBe('first')
    const If = `<${word.url(document)}> (<${token}>)`
    await word.step('MOVE', temporary, 204, { headers: { ...headers, If } })
    expect(onDisk()).toBe('newer')
    // RFC 4918 §7.7: the target is locked as before.
    await second.step('PUT', document, 423, { body: 'x' })
    await word.step('PUT', document, 204, { headers: { If: `(<${token}>)` }, body: 'newest' })
    await word.unlock(document, token)
    expect(readdirSync(join(scratch.home, 'shared'))).toEqual(['Plan 2027.docx'])
  })

  it('crashes: the lock ends by itself, and the next one to come gets it', async () => {
    const dead = await lock(word, 'Alice', 600)
    now += 9 * minutes
    scratch.restart()
    await second.step('LOCK', document, 423, {
      headers: { 'Content-Type': 'text/xml', Timeout: 'Second-600' },
      body: lockInfo(),
    })
    now += minutes
    const token = await lock(second, 'Bob', 600)
    await second.step('PUT', document, 204, { headers: { If: `(<${token}>)` }, body: "Bob's" })
    // The first one comes back and believes to hold it still.
    const If = `(<${dead}>)`
    await word.step('PUT', document, 412, { headers: { If }, body: 'stale' })
    const refresh = { headers: { If, Timeout: 'Second-600', 'Content-Length': '0' } }
    await word.step('LOCK', document, 412, refresh)
    await word.unlock(document, dead, 409)
    expect(onDisk()).toBe("Bob's")
    await second.unlock(document, token)
  })

  it('LibreOffice: a short lock, a lock file beside it, a save that names version and lock', async () => {
    const own = '.~lock.Plan%202027.docx%23'
    await word.step('PUT', own, 201, { body: ',alice,desk,23.11.2026 09:00,file:///home;' })
    const token = await lock(word, 'LibreOffice - Alice', 180)
    const { headers } = await word.step('GET', document, 200)
    const etag = headers.etag ?? ''
    const If = `(<${token}> [${etag}])`
    const saved = await word.step('PUT', document, 204, { headers: { If }, body: 'odt' })
    await word.step('PUT', document, 412, { headers: { If }, body: 'again' })
    const next = `(<${token}> [${saved.headers.etag ?? ''}])`
    await word.step('PUT', document, 204, { headers: { If: next }, body: 'odt 2' })
    now += 2 * minutes
    const refresh = { headers: { If: `(<${token}>)`, Timeout: 'Second-180' } }
    await word.step('LOCK', document, 200, refresh)
    now += 2 * minutes
    await second.step('PUT', document, 423, { body: 'x' })
    await word.unlock(document, token)
    await word.step('DELETE', own, 204)
    expect(onDisk()).toBe('odt 2')
  })
})
