import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  cpSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { getuid } from 'node:process'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import Sqlite from 'better-sqlite3'
import { runCliHere } from '../../support/cli-in-process.ts'
import { runCli, serveProcess, type CliResult } from '../../support/run-cli.ts'
import { mountSmallDisk, whyNotMount } from '../../support/small-disk.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

/** Every case is a process that loads the whole program. */
jest.setTimeout(60_000)

let folder: TempDir
let sound: string
let count = 0

beforeAll(async () => {
  folder = await tempDir()
  sound = join(folder.path, 'sound')
  for (const name of ['alice', 'bob']) {
    const flags = ['--data-dir', sound, '--public-url', 'http://localhost:9']
    expect((await runCliHere([...flags, 'user', 'add', name], folder.path)).code).toBe(0)
  }
})

afterAll(async () => {
  await folder[Symbol.asyncDispose]()
})

/** Everything in a directory, with its bytes. */
const bytesIn = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => [name, readFileSync(join(directory, name), 'latin1')]),
  )

function flip(path: string, at: number, length: number): void {
  const bytes = readFileSync(path).subarray(at, at + length)
  const fd = openSync(path, 'r+')
  writeSync(
    fd,
    bytes.map((byte) => byte ^ 0xff),
    0,
    length,
    at,
  )
  closeSync(fd)
}

const change = (path: string, sql: string): void => {
  const db = new Sqlite(path)
  db.pragma('foreign_keys = OFF')
  db.exec(sql)
  db.close()
}

interface Case {
  readonly name: string
  readonly hurt: (database: string, dataDir: string) => void
  readonly says: RegExp
}

const cases: Case[] = [
  {
    name: 'flipped bytes in the header',
    hurt: (database) => flip(database, 0, 100),
    says: /database .* cannot be opened/,
  },
  {
    name: 'flipped bytes in the schema',
    hurt: (database) => flip(database, 100, 3000),
    says: /database .* cannot be opened/,
  },
  {
    name: 'flipped bytes in the pages of a table',
    hurt: (database) => {
      const db = new Sqlite(database)
      const page = db.pragma('page_size', { simple: true }) as number
      const root = db
        .prepare<[], number>("SELECT rootpage FROM sqlite_master WHERE name = 'users'")
        .pluck()
        .get()
      db.close()
      flip(database, ((root ?? 1) - 1) * page, page)
    },
    says: /database .* cannot be opened/,
  },
  {
    name: 'half a database',
    hurt: (database) => truncateSync(database, statSync(database).size / 2),
    says: /database .* cannot be opened/,
  },
  {
    name: 'an empty file for a database',
    hurt: (database) => truncateSync(database, 0),
    says: /There is a key .* but no database/,
  },
  {
    name: 'no database beside a key',
    hurt: (database) => rmSync(database),
    says: /There is a key .* but no database/,
  },
  {
    name: 'no database and no key beside files',
    hurt(database, dataDir) {
      mkdirSync(join(dataDir, 'files', 'alice'), { recursive: true })
      rmSync(database)
      rmSync(join(dataDir, 'secret.key'))
    },
    says: /There are files .* but no database/,
  },
  {
    name: 'a database of a later davmesh',
    hurt: (database) => change(database, "INSERT INTO migrations VALUES ('9999_future', 'x', 1)"),
    says: /was written by a newer davmesh \(9999_future\)/,
  },
]

/** What must be true of whoever refuses: one line, status 1, nothing on the disk is other than before. */
function expectRefusal({ code, out, err }: CliResult, says: RegExp): void {
  expect([code, out]).toEqual([1, ''])
  const lines = err
    .trimEnd()
    .split('\n')
    .filter((line) => !line.includes('"level":'))
  expect(lines).toEqual([expect.stringMatching(says)])
  expect(err).not.toMatch(/\n\s+at /)
}

function newData(dataDir = join(folder.path, `data-${(count += 1)}`)) {
  cpSync(sound, dataDir, { recursive: true })
  const flags = ['--data-dir', dataDir, '--public-url', 'https://cloud.example.org']
  return {
    dataDir,
    flags,
    database: join(dataDir, 'davmesh.sqlite'),
    serve: () =>
      runCli(['serve', ...flags, '--listen', '127.0.0.1:0'], { cwd: folder.path, timeoutMs: 8000 }),
  }
}

describe('R8: a server refuses data that it cannot trust', () => {
  it.each(cases)('$name', async ({ hurt, says }) => {
    const { dataDir, database, serve } = newData()
    hurt(database, dataDir)
    const before = bytesIn(dataDir)
    expectRefusal(await serve(), says)
    expect(bytesIn(dataDir)).toEqual(before)
  })

  it('but a log that ends in the middle is only what was never acknowledged', async () => {
    const { dataDir, flags } = newData()
    writeFileSync(join(dataDir, 'davmesh.sqlite-wal'), randomBytes(5000))
    await using server = await serveProcess([...flags, '--listen', '127.0.0.1:0'], {
      cwd: folder.path,
    })
    expect(await server.stop()).toBe(0)
    const { out } = await runCliHere([...flags, 'user', 'list', '--json'], folder.path)
    expect(JSON.parse(out)).toMatchObject([{ username: 'alice' }, { username: 'bob' }])
  })

  const obstacle = whyNotMount()
  const mounted = obstacle === undefined ? it : it.skip

  mounted(
    `a read-only disk${obstacle === undefined ? '' : ` (not here: ${obstacle})`}`,
    async () => {
      const disk = mountSmallDisk()
      try {
        const { dataDir, serve } = newData(join(disk.path, 'data'))
        disk.forbidWriting()
        const before = bytesIn(dataDir)
        expectRefusal(await serve(), /database .* cannot be opened/)
        expect(bytesIn(dataDir)).toEqual(before)
      } finally {
        disk.unmount()
      }
    },
  )

  // Who may do anything may write to what is read-only.
  const obeying = getuid?.() === 0 ? it.skip : it

  obeying.each([
    ['file', 'davmesh.sqlite', 0o400],
    ['directory', '', 0o500],
  ])('a read-only %s', async (_, name, mode) => {
    const { dataDir, serve } = newData()
    chmodSync(join(dataDir, name), mode)
    const before = bytesIn(dataDir)
    expectRefusal(await serve(), /database .* cannot be opened/)
    expect(bytesIn(dataDir)).toEqual(before)
    chmodSync(dataDir, 0o700)
  })
})
