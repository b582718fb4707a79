import { describe, expect, it, jest } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  checkDatabase,
  inTransaction,
  migrateDatabase,
  openDatabase,
  users,
  type Database,
} from '../../../src/db/index.ts'
import { tempDir } from '../../support/temp-dir.ts'

const schemaOf = ({ raw }: Database) =>
  raw.reader.prepare('SELECT name, sql FROM sqlite_master ORDER BY name').all()

async function withDatabase(work: (db: Database, path: string) => void | Promise<void>) {
  await using folder = await tempDir()
  const path = join(folder.path, 'davmesh.sqlite')
  const db = openDatabase(path)
  try {
    await work(db, path)
  } finally {
    db.close()
  }
}

const alice = {
  id: 'u1',
  username: 'alice',
  displayName: 'Alice',
  home: '/home/alice',
  createdAt: 1,
}

describe('migrating', () => {
  it('brings an empty file to the whole schema, once', () =>
    withDatabase((db) => {
      const applied = migrateDatabase(db, 1)
      expect(applied[0]).toBe('0000_foundation')
      const schema = schemaOf(db)
      expect(schema).toEqual(
        expect.arrayContaining([expect.objectContaining({ name: 'access_tokens' })]),
      )
      expect(migrateDatabase(db, 2)).toEqual([])
      expect(schemaOf(db)).toEqual(schema)
      expect(checkDatabase(db)).toEqual([])
    }))

  it('refuses a database of a later davmesh, and leaves it alone', () =>
    withDatabase((db) => {
      migrateDatabase(db, 1)
      const add = 'INSERT INTO migrations (name, hash, applied_at) VALUES (?, ?, ?)'
      db.raw.writer.prepare(add).run('9999_future', 'x', 1)
      const schema = schemaOf(db)
      expect(() => migrateDatabase(db, 2)).toThrow(
        expect.objectContaining({ code: 'database_newer', kind: 'unavailable' }),
      )
      expect(schemaOf(db)).toEqual(schema)
    }))

  it('refuses when a migration that was applied has been edited since', () =>
    withDatabase((db) => {
      migrateDatabase(db, 1)
      db.raw.writer.prepare("UPDATE migrations SET hash = 'x'").run()
      expect(() => migrateDatabase(db, 2)).toThrow(
        expect.objectContaining({ code: 'migration_changed' }),
      )
    }))

  it('is done by one of two processes that start together', () =>
    withDatabase((db, path) => {
      const other = openDatabase(path)
      expect([migrateDatabase(db, 1).length > 0, migrateDatabase(other, 1)]).toEqual([true, []])
      other.close()
    }))
})

describe('an open database', () => {
  it('is in WAL with full synchronisation and foreign keys (design §5)', () =>
    withDatabase((db) => {
      const pragma = (name: string) => db.raw.writer.pragma(name, { simple: true })
      expect(pragma('journal_mode')).toBe('wal')
      expect(pragma('synchronous')).toBe(2)
      expect(pragma('foreign_keys')).toBe(1)
      // A blocked connection blocks the process (robustness §0.4).
      expect(pragma('busy_timeout')).toBeLessThanOrEqual(200)
      expect(() => db.raw.reader.prepare('CREATE TABLE x (y)').run()).toThrow('readonly')
    }))

  it('is refused when it is damaged, or must exist and does not', async () => {
    await using folder = await tempDir()
    const path = join(folder.path, 'davmesh.sqlite')
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => openDatabase(path, { create: false })).toThrow(code('database_missing'))
    await writeFile(path, 'no database at all, and long enough to be sure'.repeat(99))
    expect(() => openDatabase(path)).toThrow(code('database_damaged'))
  })

  it('is said to be damaged by db check', () =>
    withDatabase(async (db) => {
      migrateDatabase(db, 1)
      db.raw.writer.pragma('foreign_keys = OFF')
      db.raw.writer
        .prepare("INSERT INTO refresh_tokens VALUES ('r', 'missing', 'h', NULL, 1, NULL)")
        .run()
      expect(checkDatabase(db)).toEqual([
        { kind: 'foreign_key', detail: expect.stringContaining('outgoing_shares') },
      ])
      await Promise.resolve()
    }))
})

describe('a transaction', () => {
  it('is seen whole or not at all, also by readers of the same process', () =>
    withDatabase(async (db) => {
      migrateDatabase(db, 1)
      await inTransaction(db, async (tx) => {
        await tx.insert(users).values(alice)
        expect(await db.$count(users)).toBe(0)
        expect(await tx.$count(users)).toBe(1)
      })
      expect(await db.$count(users)).toBe(1)
    }))

  it('is undone when its work throws, and the next one runs', () =>
    withDatabase(async (db) => {
      migrateDatabase(db, 1)
      const failing = inTransaction(db, async (tx) => {
        await tx.insert(users).values(alice)
        throw new Error('on purpose')
      })
      const following = inTransaction(db, (tx) => tx.insert(users).values(alice))
      await expect(failing).rejects.toThrow('on purpose')
      await following
      expect(await db.$count(users)).toBe(1)
    }))

  it('shares its commit with what waits beside it, and its failure with nobody', () =>
    withDatabase(async (db) => {
      migrateDatabase(db, 1)
      const commits = jest.spyOn(db.raw.writer, 'exec')
      const works = Array.from({ length: 100 }, (_, count) =>
        inTransaction(db, async (tx) => {
          const username = `user${String(count)}`
          await tx.insert(users).values({ ...alice, id: username, username })
          if (count % 2 === 1) throw new Error(username)
          return count
        }),
      )
      const outcomes = await Promise.allSettled(works)
      for (const [count, outcome] of outcomes.entries()) {
        if (count % 2 === 0) expect(outcome).toEqual({ status: 'fulfilled', value: count })
        else expect(outcome).toMatchObject({ reason: { message: `user${String(count)}` } })
      }
      expect(await db.$count(users)).toBe(50)
      expect(commits.mock.calls.filter(([sql]) => sql === 'COMMIT')).toHaveLength(2)
    }))

  it('gives way to another process, and then says "try again" (R7)', () =>
    withDatabase(async (db, path) => {
      migrateDatabase(db, 1)
      const other = openDatabase(path)
      other.raw.writer.exec('BEGIN IMMEDIATE')
      const waiting = inTransaction(db, (tx) => tx.insert(users).values(alice))
      // Reads go on meanwhile.
      expect(await db.$count(users)).toBe(0)
      await expect(waiting).rejects.toMatchObject({
        code: 'database_busy',
        kind: 'unavailable',
        retryAfterSeconds: 1,
      })
      other.raw.writer.exec('COMMIT')
      await inTransaction(db, (tx) => tx.insert(users).values(alice))
      other.close()
    }))
})
