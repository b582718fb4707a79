import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { inTransaction, outgoingShares, resourceChanges } from '../../../src/db/index.ts'
import { MountError } from '../../../src/mounts/errors.ts'
import { hrefsOf } from '../../support/dav-client.ts'
import { bytes, contentOf } from '../../unit/files/file-tree-contract.ts'
import { mountsStage, type Stage } from './stage.ts'

let stage: Stage
beforeEach(async () => {
  stage = await mountsStage({ webdav: { infiniteDepth: true } })
})
afterEach(() => stage[Symbol.asyncDispose]())

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'

async function lock(path: string): Promise<string> {
  const headers = { 'content-type': 'application/xml', depth: 'infinity' }
  const answer = await stage.files.call('LOCK', path, { body: lockBody, headers })
  expect([200, 201]).toContain(answer.status)
  return answer.headers['lock-token'] as string
}

const rowsOf = (
  table: 'locks' | 'dead_properties' | 'resource_changes' | 'outgoing_shares',
): string[] =>
  stage.server
    .services()
    .db.raw.reader.prepare(`SELECT * FROM ${table}`)
    .all()
    .map((row) => (row as { path?: string }).path ?? '')

/** A change that a crash interrupted somewhere. */
const interrupt = (change: { kind: 'remove' | 'move' | 'copy'; source: string; target: string }) =>
  inTransaction(stage.server.services().db, async (tx) => {
    const { userId: treeId } = stage
    const row = { id: change.source, treeId, shallow: false, targetEtag: null, createdAt: 0 }
    await tx.insert(resourceChanges).values({ ...row, ...change })
  })

describe('locks and interrupted changes below mounts', () => {
  beforeEach(async () => {
    const trip = await stage.mount('Trip')
    await trip.write(['a'], bytes('a'))
    const unreachable = () => Promise.reject(new Error('nobody is asked'))
    Object.assign(trip, { stat: unreachable, view: unreachable })
    await stage.server.addFile('bob', 'own/x', 'x')
  })

  async function lockAll(...paths: string[][]): Promise<void> {
    const { resources } = stage.server.services()
    const holder = { key: `user:${stage.userId}` }
    const wanted = { treeId: stage.userId, scope: 'exclusive', depth: '0', holder } as const
    for (const path of paths) await resources.addLock({ ...wanted, path, owner: '', seconds: 600 })
  }

  it('keeps the locks of what it cannot see, and asks nobody', async () => {
    await lockAll(['Shared', 'Trip', 'a'], ['Shared', 'Gone', 'a'])
    expect(await stage.recover()).toBe(0)
    expect(rowsOf('locks')).toEqual(['/Shared/Trip/a/'])
  })

  it.each([
    ['remove', '/Shared/Trip/a/', '/Shared/Trip/a/', ['/Shared/Trip/a/', '/own/x/']],
    ['move', '/Shared/Trip/a/', '/Shared/Trip/b/', ['/Shared/Trip/a/', '/own/x/']],
    ['copy', '/own/x/', '/Shared/Trip/a/', ['/Shared/Trip/a/', '/own/x/']],
    ['move', '/own/x/', '/Shared/Trip/b/', ['/Shared/Trip/a/', '/own/x/']],
    ['move', '/own/none/', '/Shared/Trip/b/', ['/Shared/Trip/a/', '/own/x/']],
    ['move', '/Shared/Trip/a/', '/own/', ['/Shared/Trip/a/']],
  ] as const)('a %s of %s to %s leaves the locks %j', async (kind, source, target, left) => {
    await lockAll(['Shared', 'Trip', 'a'], ['own', 'x'])
    await interrupt({ kind, source, target })
    expect(await stage.recover()).toBe(1)
    expect(rowsOf('locks').sort()).toEqual(left)
    expect(rowsOf('resource_changes')).toEqual([])
  })
})

describe('what clients say of files', () => {
  it('is not kept of what leaves for a mount', async () => {
    const trip = await stage.mount('Trip')
    const said: string[] = []
    Object.assign(trip, {
      properties: () => ({
        find: () => Promise.resolve([]),
        patch: (path: string[], steps: unknown[]) => {
          said.push(path.join('/'))
          return Promise.resolve(steps.map((_, index) => (index === 0 ? 200 : 507)))
        },
      }),
    })
    await stage.server.addFile('bob', 'own/x', 'x')
    const set = (...names: string[]): string =>
      `<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>${names.map((name) => `<${name} xmlns="urn:x">1</${name}>`).join('')}</D:prop></D:set></D:propertyupdate>`
    expect((await stage.files.proppatch('own/x', set('a'))).status).toBe(207)
    expect(rowsOf('dead_properties')).toEqual(['/own/x/'])
    const to = (path: string): string => stage.url + path
    expect((await stage.files.copyOrMove('COPY', 'own', to('Shared/Trip/c'))).status).toBe(201)
    expect(rowsOf('dead_properties')).toEqual(['/own/x/'])
    expect((await stage.files.copyOrMove('MOVE', 'own', to('Shared/Trip/m'))).status).toBe(201)
    expect(rowsOf('dead_properties')).toEqual([])
    expect(await contentOf(trip, ['m', 'x'])).toBe('x')
    const patched = await stage.files.proppatch('Shared/Trip/m/x', set('a', 'b', 'c'))
    expect(said).toEqual(['m/x'])
    expect(patched.text.replaceAll(/\s*xmlns:x="urn:x"/g, '')).toMatch(
      /<x:a\/><\/D:prop><D:status>HTTP\/1.1 200 OK.*<x:b\/><x:c\/><\/D:prop><D:status>HTTP\/1.1 507 Insufficient Storage/,
    )
  })
})

describe('what is known of own files', () => {
  const to = (path: string) => stage.url + path
  const setProperty = (path: string) =>
    stage.files.proppatch(
      path,
      '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><a xmlns="urn:x">1</a></D:prop></D:set></D:propertyupdate>',
    )

  async function share(...path: string[]): Promise<void> {
    const [id] = path.slice(-1)
    await inTransaction(stage.server.services().db, async (tx) => {
      await tx.insert(outgoingShares).values({
        id: id ?? '',
        ownerId: stage.userId,
        path,
        resourceType: 'folder',
        name: id ?? '',
        recipient: 'einstein@peer.example',
        recipientHost: 'peer.example',
        permissions: ['read'],
        strict: false,
        state: 'accepted',
        createdAt: 0,
      })
    })
  }

  it('does not follow them into a mount', async () => {
    await stage.mount('Trip')
    await stage.server.addFile('bob', 'own/x', 'x')
    await share('own')
    expect((await stage.files.copyOrMove('MOVE', 'own', to('Shared/Trip/own'))).status).toBe(201)
    expect(rowsOf('outgoing_shares')).toEqual(['["own"]'])
  })

  it('stays with what a mount hides, whatever happens to the mount', async () => {
    await stage.server.addFile('bob', 'Shared/Trip/a', 'mine')
    await setProperty('Shared/Trip/a')
    await share('Shared', 'Trip')
    const trip = await stage.mount('Trip')
    await trip.write(['a'], bytes('a'))
    await trip.write(['b'], bytes('b'))
    const { files } = stage
    expect((await files.copyOrMove('MOVE', 'Shared/Trip/b', to('Shared/Trip/a'))).status).toBe(204)
    expect((await files.copyOrMove('COPY', 'Shared/Trip/a', to('copied'))).status).toBe(201)
    expect((await files.copyOrMove('MOVE', 'Shared/Trip/a', to('moved'))).status).toBe(201)
    expect((await files.copyOrMove('MOVE', 'Shared/Trip', to('Shared/New'))).status).toBe(201)
    expect((await files.remove('Shared/New')).status).toBe(204)
    expect(rowsOf('dead_properties')).toEqual(['/Shared/Trip/a/'])
    expect(rowsOf('outgoing_shares')).toEqual(['["Shared","Trip"]'])
  })
})

describe('locks that clients hold', () => {
  it('end with what they were on, and go nowhere', async () => {
    const trip = await stage.mount('Trip')
    await trip.write(['a'], bytes('a'))
    const token = await lock('Shared/Trip/a')
    expect((await stage.files.remove('Shared/Trip')).status).toBe(423)
    expect(
      (await stage.files.copyOrMove('MOVE', 'Shared/Trip', `${stage.url}Shared/New`)).status,
    ).toBe(423)
    const headers = {
      destination: `${stage.url}Shared/New`,
      if: `</dav/files/bob/Shared/Trip/a> (${token})`,
    }
    expect((await stage.files.call('MOVE', 'Shared/Trip', { headers })).status).toBe(201)
    expect(rowsOf('locks')).toEqual([])
    await lock('Shared/New')
    expect((await stage.files.put('Shared/New/b', 'b')).status).toBe(423)
  })
})

describe('PROPFIND of infinite depth over a mount that fails', () => {
  it('says so in its place, and goes on', async () => {
    const trip = await stage.mount('Trip')
    await trip.write(['a'], bytes('a'))
    const away = await stage.mount('Away')
    Object.assign(away, {
      // eslint-disable-next-line @typescript-eslint/require-await
      async *list() {
        throw new MountError('sender_unreachable', 'peer.example cannot be reached now.')
      },
    })
    await stage.server.addFile('bob', 'zz', 'z')
    const answer = await stage.files.propfind('', 'infinity')
    expect(answer.status).toBe(207)
    expect(hrefsOf(answer).sort()).toEqual([
      '/dav/files/bob/',
      '/dav/files/bob/Shared/',
      '/dav/files/bob/Shared/Away/',
      '/dav/files/bob/Shared/Trip/',
      '/dav/files/bob/Shared/Trip/a',
      '/dav/files/bob/zz',
    ])
    expect(answer.text).toMatch(/Shared\/Away\/<\/D:href><D:status>HTTP\/1.1 503 /)
  })
})
