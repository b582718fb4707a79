import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startEmbeddedDefault } from './support/davmesh.ts'
import { isMounted, unmount, until, whyNoMounts } from './support/mounts.ts'
import { awkwardNames } from './support/samples.ts'
import { mustRun, newFolder, requireTools } from './support/tools.ts'

jest.setTimeout(180_000)

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
  describe.each(['rclone', 'davfs2'] as const)('the printed mount command for %s', tryMount)
}

function tryMount(client: 'rclone' | 'davfs2'): void {
  const fromServer = randomBytes(100_000)
  let davmesh: Awaited<ReturnType<typeof startEmbeddedDefault>>
  let home: string
  let mount: string
  let root: string

  beforeAll(async () => {
    requireTools('rclone', 'mount.davfs', 'fusermount')
    davmesh = await startEmbeddedDefault()
    root = join(davmesh.dataDir, 'files', 'me')
    // Before the mount: clients remember a listing for minutes.
    writeFileSync(join(root, 'from the server'), fromServer)
    home = newFolder()
    mount = join(home, 'davmesh')
    const command = printedCommand(davmesh.banner, client, mount)
    await mustRun('bash', ['-c', command], { env: { HOME: home } })
  })

  afterAll(async () => {
    await unmount(mount)
    await davmesh.stop()
    rmSync(home, { recursive: true, force: true })
  })

  it('mounts', () => {
    expect(isMounted(mount)).toBe(true)
  })

  it('shows what is on the server', async () => {
    expect(readdirSync(mount)).toContain('from the server')
    expect(await readFile(join(mount, 'from the server'))).toEqual(fromServer)
  })

  it('stores what is written, under every awkward name', async () => {
    mkdirSync(join(mount, 'written'))
    for (const name of awkwardNames) await writeFile(join(mount, 'written', name), `I am ${name}`)
    const film = randomBytes(5 * 1024 * 1024)
    await writeFile(join(mount, 'written', 'film'), film)
    const stored = [...awkwardNames, 'film'].map((name) => join(root, 'written', name))
    await until('the files to arrive', () => stored.every(isFilled))
    for (const name of awkwardNames) {
      expect(await readFile(join(root, 'written', name), 'utf8')).toBe(`I am ${name}`)
    }
    expect(await readFile(join(root, 'written', 'film'))).toEqual(film)
  })

  it('renames and deletes', async () => {
    renameSync(join(mount, 'written', 'film'), join(mount, 'film #2'))
    await until('the file to move', () => existsSync(join(root, 'film #2')))
    expect((await stat(join(root, 'film #2'))).size).toBe(5 * 1024 * 1024)
    rmSync(join(mount, 'written'), { recursive: true })
    await until('the folder to go', () => !existsSync(join(root, 'written')))
  })

  it('lets go', async () => {
    await unmount(mount)
    expect(isMounted(mount)).toBe(false)
  })
}

const isFilled = (file: string): boolean => existsSync(file) && readFileSync(file).length > 0

/**
 * The line as printed, less what root does not need and with the mount point in our own folder:
 * /mnt belongs to the machine.
 */
function printedCommand(banner: string, client: 'rclone' | 'davfs2', mount: string): string {
  const mark = { rclone: 'rclone mount', davfs2: 'mount -t davfs' }[client]
  const line = banner.split('\n').find((text) => text.includes(mark))
  if (line === undefined) throw new Error(`no line with "${mark}" in:\n${banner}`)
  return line.trim().replaceAll('sudo ', '').replaceAll('/mnt/davmesh', mount)
}
