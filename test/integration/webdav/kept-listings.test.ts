import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { lockRequest } from './locking.ts'
import { mine, shareId, startScratch, type Scratch, type Who } from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
  mkdirSync(join(scratch.home, 'shared', 'sub', 'deep'), { recursive: true })
  writeFileSync(join(scratch.home, 'shared', 'note.txt'), 'note')
  writeFileSync(join(scratch.home, 'shared', 'sub', 'x'), 'x')
})

afterAll(() => scratch.stop())

const namespaces =
  'xmlns:D="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:x="urn:x" ' +
  'xmlns:ocs="http://open-collaboration-services.org/ns" ' +
  'xmlns:ocm="http://open-cloud-mesh.org/ns"'

const asking = (...names: string[]): string =>
  `<D:propfind ${namespaces}><D:prop>${names.map((name) => `<${name}/>`).join('')}</D:prop></D:propfind>`

async function list(path: string, as: Who, body = ''): Promise<string> {
  const headers = { Depth: '1', 'Content-Type': 'application/xml' }
  const reply = await scratch.send({ method: 'PROPFIND', path, as, headers, body })
  expect(reply.status).toBe(207)
  return reply.body
}

describe('a listing that is kept', () => {
  it('is given to nobody who asked for something else', async () => {
    const path = mine('shared/')
    const bodies = [
      '',
      asking('D:getetag'),
      asking('D:getlastmodified'),
      `<D:propfind ${namespaces}><D:propname/></D:propfind>`,
      `<D:propfind ${namespaces}><D:allprop/></D:propfind>`,
      // Too long to be told apart by, with a difference behind its first 4,096 bytes.
      asking('D:getetag').replace('<D:prop>', `${' '.repeat(5000)}<D:prop>`),
      asking('D:displayname').replace('<D:prop>', `${' '.repeat(5000)}<D:prop>`),
    ]
    const alone: string[] = []
    for (const body of bodies) {
      alone.push(await list(path, 'alice', body))
      // Another version, so that the next one is rendered and not found.
      await scratch.send({ method: 'PUT', path: mine('shared/tick'), as: 'alice', body })
      await scratch.send({ method: 'DELETE', path: mine('shared/tick'), as: 'alice' })
    }
    const shape = (xml: string): string =>
      xml.replaceAll(/(<D:(?:getetag|getlastmodified)>)[^<]*/g, '$1')
    for (let round = 0; round < 3; round += 1) {
      for (const [index, body] of bodies.entries()) {
        expect(shape(await list(path, 'alice', body))).toBe(shape(alone[index] ?? ''))
      }
    }
  })

  it('is given to nobody with other permissions, nor under other names', async () => {
    const body = asking(
      'D:displayname',
      'D:supportedlock',
      'oc:permissions',
      'oc:id',
      'ocs:share-permissions',
      'ocm:share-permissions',
    )
    const ways: [Who, string][] = [
      ['alice', mine('shared/')],
      ['writer', '/dav/ocm/'],
      ['reader', '/dav/ocm/'],
      ['writer', `/dav/ocm/${shareId}/`],
      ['reader', `/dav/ocm/${shareId}/`],
    ]
    for (let round = 0; round < 20; round += 1) {
      const found = await Promise.all(
        [...ways, ...ways].map(async ([as, path]) => [as, path, await list(path, as, body)]),
      )
      for (const [as = '', path = '', text = ''] of found) {
        const hrefs = [...text.matchAll(/<D:href>([^<]*)/g)].map(([, href]) => href)
        const members = ['', 'note.txt', 'sub/'].map((name) => path + name)
        expect(hrefs.sort()).toEqual(members.sort())
        const [own = ''] = /<D:response>.*?<\/D:response>/.exec(text) ?? []
        expect(own).toContain(`<D:displayname>${as === 'alice' ? 'shared' : ''}`)
        expect(text.includes('<D:lockentry>')).toBe(as !== 'reader')
        const letters = [...text.matchAll(/<oc:permissions>([^<]*)/g)].map(([, value]) => value)
        expect(new Set(letters)).toEqual(lettersOf[as])
        const words = [...text.matchAll(/<ocm:share-permissions>([^<]*)/g)].map(
          ([, value]) => value,
        )
        expect(new Set(words).size).toBe(1)
        expect(words[0]?.includes('write')).toBe(as !== 'reader')
        const bits = [...text.matchAll(/<ocs:share-permissions>([^<]*)/g)].map(([, value]) => value)
        expect(bits.every((value) => value === '1')).toBe(as === 'reader')
      }
      writeFileSync(join(scratch.home, 'shared', 'note.txt'), `note ${round}`)
    }
  })

  it.each(['LOCK', 'PROPPATCH'])('shows a %s at once, and its end', async (method) => {
    const names = ['D:lockdiscovery', 'x:colour']
    const ways: [Who, string][] = [
      ['alice', mine('shared/')],
      ['writer', '/dav/ocm/'],
    ]
    const countIn = async (as: Who, path: string): Promise<number> =>
      (await list(path, as, asking(...names))).match(/<D:activelock>|>red</g)?.length ?? 0
    const patch = (change: string) => `<D:propertyupdate ${namespaces}>${change}</D:propertyupdate>`
    for (const [index, [as, base]] of [...ways, ...ways].entries()) {
      const path = `${base}note.txt`
      const send = async (change: string) => {
        const headers = { 'Content-Type': 'application/xml' }
        const sent = { method: 'PROPPATCH', path, as, headers, body: patch(change) }
        expect((await scratch.send(sent)).status).toBe(207)
      }
      for (const [who, where] of ways) expect(await countIn(who, where)).toBe(0)
      let token = ''
      if (method === 'LOCK') {
        const locked = await scratch.send(lockRequest(path, as))
        token = String(locked.headers['lock-token'])
      } else await send('<D:set><D:prop><x:colour>red</x:colour></D:prop></D:set>')
      for (const [who, where] of ways)
        expect([index, await countIn(who, where)]).toEqual([index, 1])
      if (method === 'LOCK') {
        await scratch.send({ method: 'UNLOCK', path, as, headers: { 'Lock-Token': token } })
      } else await send('<D:remove><D:prop><x:colour/></D:prop></D:remove>')
    }
    for (const [who, where] of ways) expect(await countIn(who, where)).toBe(0)
  })

  it('never has the room that there was (RFC 4331)', async () => {
    const body = asking('D:quota-used-bytes')
    const usedIn = async (): Promise<number> => {
      const text = await list(mine('shared/'), 'alice', body)
      return Number(/<D:quota-used-bytes>(\d+)/.exec(text)?.[1])
    }
    const before = await usedIn()
    const large = join(scratch.home, 'large')
    writeFileSync(large, Buffer.alloc(64 * 1024 * 1024, 1), { flush: true })
    expect((await usedIn()) - before).toBeGreaterThan(32 * 1024 * 1024)
    rmSync(large)
  })
})

const lettersOf: Record<string, Set<string>> = {
  alice: new Set(['RGDNVCK', 'RGDNVW']),
  writer: new Set(['RGCK', 'RGDNVCK', 'RGDNVW']),
  reader: new Set(['G']),
}
