import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { lockRequest } from './locking.ts'
import { mine, shareId, startScratch, type Scratch, type Who } from './support.ts'

let scratch: Scratch
let note: string

beforeAll(async () => {
  scratch = await startScratch()
  note = join(scratch.home, 'shared', 'note.txt')
  writeFileSync(note, 'note')
})

afterAll(() => scratch.stop())

const namespaces = 'xmlns:D="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:x="urn:x"'

const asking = (...names: string[]): string =>
  `<D:propfind ${namespaces}><D:prop>${names.map((name) => `<${name}/>`).join('')}</D:prop></D:propfind>`

const ask = (path: string, as: Who, body = '') =>
  scratch.send({
    method: 'PROPFIND',
    path,
    as,
    headers: { Depth: '0', 'Content-Type': 'application/xml' },
    body,
  })

async function describedAs(path: string, as: Who, body = ''): Promise<string> {
  const reply = await ask(path, as, body)
  expect(reply.status).toBe(207)
  return reply.body
}

/** Every way to one file and to its folder. */
const ways: [Who, string][] = [
  ['alice', mine('shared/note.txt')],
  ['writer', '/dav/ocm/note.txt'],
  ['reader', '/dav/ocm/note.txt'],
  ['writer', `/dav/ocm/${shareId}/note.txt`],
  ['file', `/dav/ocm/${shareId}`],
  ['alice', mine('shared/')],
  ['reader', '/dav/ocm/'],
]

describe('one resource, described again', () => {
  it('is told to each as if nobody else had asked', async () => {
    const bodies = [
      '',
      asking('D:getetag'),
      asking('D:displayname', 'D:supportedlock', 'oc:permissions', 'oc:id', 'x:none'),
      `<D:propfind ${namespaces}><D:propname/></D:propfind>`,
      asking('D:getetag').replace('<D:prop>', `${' '.repeat(5000)}<D:prop>`),
    ]
    const questions = ways.flatMap(([as, path]) => bodies.map((body) => [path, as, body] as const))
    const alone: string[] = []
    for (const question of questions) {
      scratch.restart()
      alone.push(await describedAs(...question))
    }
    for (let round = 0; round < 3; round += 1) {
      for (const [index, question] of questions.entries()) {
        expect(await describedAs(...question)).toBe(alone[index])
        expect(await describedAs(...question)).toBe(alone[index])
      }
    }
  })

  it('is told as the disk has it', async () => {
    const changes = [
      () => writeFileSync(note, 'othr'),
      () => writeFileSync(note, 'longer than before'),
      () => utimesSync(note, 1, 1_600_000_000),
      () => {
        const { atime, mtime } = statSync(note)
        writeFileSync(`${note}.new`, 'longer than before')
        utimesSync(`${note}.new`, atime, mtime)
        renameSync(`${note}.new`, note)
      },
    ]
    for (const change of [...changes, ...changes]) {
      change()
      const { ino, size, mtimeMs } = statSync(note)
      for (const [as, path] of ways.slice(0, 5)) {
        const text = await describedAs(path, as)
        expect(text).toContain(`<D:getetag>"${ino}-${size}-${mtimeMs}"`)
        expect(text).toContain(`<D:getcontentlength>${size}<`)
        expect(text).toContain(`<D:getlastmodified>${new Date(mtimeMs).toUTCString()}<`)
      }
    }
    rmSync(note)
    for (const [as, path] of ways.slice(0, 5)) expect((await ask(path, as)).status).toBe(404)
    mkdirSync(note)
    expect(await describedAs(mine('shared/note.txt'), 'alice')).toContain('<D:collection/>')
    rmSync(note, { recursive: true })
    writeFileSync(note, 'note')
  })

  it.each(['LOCK', 'PROPPATCH'])('shows a %s at once, and its end', async (method) => {
    const path = mine('shared/note.txt')
    const counts = async (): Promise<number[]> => {
      const texts = ways
        .slice(0, 5)
        .map(([as, at]) => describedAs(at, as, asking('D:lockdiscovery', 'x:colour')))
      return (await Promise.all(texts)).map(
        (text) => text.match(/<D:activelock>|>red</g)?.length ?? 0,
      )
    }
    const patch = async (change: string): Promise<void> => {
      const headers = { 'Content-Type': 'application/xml' }
      const body = `<D:propertyupdate ${namespaces}>${change}</D:propertyupdate>`
      await scratch.send({ method: 'PROPPATCH', path, as: 'alice', headers, body })
    }
    for (let round = 0; round < 2; round += 1) {
      expect(await counts()).toEqual([0, 0, 0, 0, 0])
      let token = ''
      if (method === 'LOCK') {
        const locked = await scratch.send(lockRequest(path, 'alice'))
        token = String(locked.headers['lock-token'])
      } else await patch('<D:set><D:prop><x:colour>red</x:colour></D:prop></D:set>')
      expect(await counts()).toEqual([1, 1, 1, 1, 1])
      if (method === 'LOCK') {
        const headers = { 'Lock-Token': token }
        await scratch.send({ method: 'UNLOCK', path, as: 'alice', headers })
      } else await patch('<D:remove><D:prop><x:colour/></D:prop></D:remove>')
    }
    expect(await counts()).toEqual([0, 0, 0, 0, 0])
  })
})
