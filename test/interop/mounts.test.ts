import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { appendFile, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { isMounted, isUploading, unmount, until, whyNoMounts } from './support/mounts.ts'
import {
  serveOwnFiles,
  servePlace,
  type MountClient,
  type Served,
} from './support/printed-mount.ts'
import { awkwardNames } from './support/samples.ts'
import { mustRun, newFolder, requireTools } from './support/tools.ts'

jest.setTimeout(180_000)

const trees = ['own files', 'a share with its secret', 'a share mounted at another server'] as const

/** When a program that saved under another name renames it, in milliseconds after the close. */
const pauses = [0, 5, 20, 40] as const

const reason = whyNoMounts()

if (reason !== undefined) {
  // Never silent: whoever reads the run learns what it did not show.
  console.warn(`NOTHING IS MOUNTED IN THIS RUN: ${reason}. rclone mount and davfs2 stay untested.`)
  describe('mounts', () => {
    it(`cannot be tried on this machine: ${reason}`, () => {
      expect(whyNoMounts()).toBe(reason)
    })
  })
} else {
  describe.each(['rclone', 'davfs2'] as const)('the printed mount command for %s', (client) => {
    describe.each(trees)('on %s', (tree) => {
      tryMount(client, tree)
    })
  })
}

function tryMount(client: MountClient, tree: (typeof trees)[number]): void {
  const fromServer = randomBytes(100_000)
  const film = randomBytes(5 * 1024 * 1024)
  let served: Served
  let home: string
  let mount: string
  let mountAsPrinted: () => Promise<unknown>

  /** A file as the client and as the server has it. */
  const there = (...path: string[]) => join(mount, ...path)
  const stored = (...path: string[]) => join(served.root, ...path)
  const isStored = (content: Uint8Array, ...path: string[]): boolean =>
    existsSync(stored(...path)) && readFileSync(stored(...path)).equals(content)

  beforeAll(async () => {
    requireTools('rclone', 'mount.davfs', 'fusermount')
    served = await (tree === 'own files' ? serveOwnFiles(client) : servePlace(client, tree))
    // Before the mount: clients remember a listing for minutes.
    mkdirSync(stored('#1 old'))
    for (const name of ['from the server', 'to edit', 'to append']) {
      writeFileSync(stored('#1 old', name), fromServer)
    }
    for (const ms of pauses) writeFileSync(stored('#1 old', `to save ${ms}`), fromServer)
    home = newFolder()
    mount = join(home, 'davmesh')
    // Root needs no sudo, and /mnt belongs to the machine.
    const command = served.command.replaceAll('sudo ', '').replaceAll('/mnt/davmesh', mount)
    mountAsPrinted = () => mustRun('bash', ['-c', command], { env: { HOME: home } })
    await mountAsPrinted()
  })

  afterAll(async () => {
    await unmount(mount)
    await served.close()
    rmSync(home, { recursive: true, force: true })
  })

  it('mounts, and shows what is on the server', async () => {
    expect(isMounted(mount)).toBe(true)
    expect(readdirSync(mount)).toContain('#1 old')
    expect(readdirSync(there('#1 old')).sort()).toEqual(readdirSync(stored('#1 old')).sort())
    const content = await readFile(there('#1 old', 'from the server'))
    expect(content.equals(fromServer)).toBe(true)
  })

  it('stores what is written, edited, appended and renamed, under every awkward name', async () => {
    mkdirSync(there('written'))
    for (const name of awkwardNames) await writeFile(there('written', name), `I am ${name}`)
    await writeFile(there('written', 'film'), film)
    const edited = Buffer.from(fromServer)
    edited.write('in the middle', 50_000)
    const file = await open(there('#1 old', 'to edit'), 'r+')
    await file.write('in the middle', 50_000)
    await file.close()
    await appendFile(there('#1 old', 'to append'), 'at the end')
    // While nothing else is uploaded, a rename comes in the middle of the upload of its file.
    await until('the client to have nothing to do', () => !isUploading(home))
    for (const ms of pauses) {
      await writeFile(there('#1 old', `new ${ms}`), film)
      await pause(ms)
      await rename(there('#1 old', `new ${ms}`), there('#1 old', `to save ${ms}`))
    }

    const appended = Buffer.concat([fromServer, Buffer.from('at the end')])
    const arrived = () =>
      awkwardNames.every((name) => isStored(Buffer.from(`I am ${name}`), 'written', name)) &&
      isStored(film, 'written', 'film') &&
      isStored(edited, '#1 old', 'to edit') &&
      isStored(appended, '#1 old', 'to append') &&
      pauses.every((ms) => isStored(film, '#1 old', `to save ${ms}`))
    await until('everything to arrive', arrived)
    expect(readdirSync(stored('#1 old')).filter((name) => name.startsWith('new'))).toEqual([])
    await until('the client to have noticed', () => !isUploading(home))
  })

  it('renames and deletes', async () => {
    await rename(there('written', 'film'), there('film #2 100%?'))
    await until('the file to move', () => isStored(film, 'film #2 100%?'))
    await rename(there('#1 old'), there('new "é"'))
    await until('the folder to move', () => isStored(fromServer, 'new "é"', 'from the server'))
    await rm(there('written'), { recursive: true })
    await until('the folder to go', () => !existsSync(stored('written')))
  })

  it('stores also what was just written when it is unmounted', async () => {
    await writeFile(there('last'), 'just written')
    await unmount(mount)
    expect(isMounted(mount)).toBe(false)
    // rclone keeps what it has not uploaded yet for the next mount.
    if (client === 'rclone') await mountAsPrinted()
    await until('the last file to arrive', () => isStored(Buffer.from('just written'), 'last'))
    expect(readdirSync(served.root).sort()).toEqual(['film #2 100%?', 'last', 'new "é"'])
  })
}
