import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  users,
  inTransaction,
  migrateDatabase,
  openDatabase,
  remember,
} from '../../../src/db/index.ts'
import type { Database } from '../../../src/db/index.ts'

let dir: string
let db: Database
let asked: string[]
let find: (name: string) => number | Promise<number>

const addUser = (to: Database, username: string) =>
  inTransaction(to, async (tx) => {
    await tx
      .insert(users)
      .values({ id: username, username, displayName: username, home: `/${username}`, createdAt: 0 })
  })

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'remember-'))
  db = openDatabase(join(dir, 'davmesh.sqlite'))
  migrateDatabase(db, 0)
  asked = []
  find = remember(db, 2, async (name) => {
    asked.push(name)
    return (await db.select().from(users)).filter((user) => user.username === name).length
  })
})

afterEach(() => {
  db.close()
  rmSync(dir, { recursive: true })
})

describe('remember', () => {
  it('asks once while nothing is committed', async () => {
    expect([await find('ann'), await find('ann'), await find('bob')]).toEqual([0, 0, 0])
    expect(asked).toEqual(['ann', 'bob'])
  })

  it('forgets with a commit of this process', async () => {
    expect(await find('ann')).toBe(0)
    await addUser(db, 'ann')
    expect(await find('ann')).toBe(1)
  })

  it('forgets with a commit of another', async () => {
    const other = openDatabase(join(dir, 'davmesh.sqlite'))
    expect(await find('ann')).toBe(0)
    await addUser(other, 'ann')
    expect(await find('ann')).toBe(1)
    other.close()
  })

  it('keeps nothing that a commit overtook', async () => {
    const slow = remember(db, 2, async (name) => {
      const before = await db.$count(users)
      if (before === 0) await addUser(db, name)
      return before
    })
    expect([await slow('ann'), await slow('ann')]).toEqual([0, 1])
  })

  it('keeps no more than it may', async () => {
    for (const name of ['a', 'b', 'c', 'a']) await find(name)
    expect(asked).toEqual(['a', 'b', 'c', 'a'])
  })
})
