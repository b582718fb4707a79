import { describe, expect, it } from '@jest/globals'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createEventHub } from '../../../src/core/index.ts'
import { migrateDatabase, openDatabase } from '../../../src/db/index.ts'
import { createUsers } from '../../../src/users/index.ts'
import { createPasswordHasher } from '../../../src/users/passwords.ts'
import { isUsername } from '../../../src/users/username.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { leaksIn } from '../../support/secrets.ts'
import { tempDir } from '../../support/temp-dir.ts'

async function openUsers() {
  const folder = await tempDir()
  const db = openDatabase(join(folder.path, 'data', 'davmesh.sqlite'))
  migrateDatabase(db, 1)
  const clock = fakeClock()
  const users = createUsers({
    db,
    clock,
    events: createEventHub(),
    filesRoot: join(folder.path, 'data', 'files'),
    dataDir: join(folder.path, 'data'),
    limit: { failures: 3, addressFailures: 100, windowSeconds: 60 },
  })
  return {
    users,
    db,
    clock,
    path: folder.path,
    login: async (name: string, password: string, address = '192.0.2.1') =>
      (await users.login(name, password, address)).status,
    async [Symbol.asyncDispose]() {
      db.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('a user name', () => {
  it.each(['a', 'alice', 'Alice.Smith', 'a@b', 'x'.repeat(40), '0_-'])('may be "%s"', (name) => {
    expect(isUsername(name)).toBe(true)
  })

  it.each([
    '',
    '.',
    '..',
    '.hidden',
    '-x',
    '@x',
    'a b',
    'a/b',
    'a\\b',
    'ü',
    'a\0',
    'a\n',
    'x'.repeat(41),
  ])('may not be %j', (name) => {
    expect(isUsername(name)).toBe(false)
  })
})

describe('adding a user', () => {
  it('makes a home for its owner only, and shows a password of at least 128 bits once', async () => {
    await using opened = await openUsers()
    const { user, password } = await opened.users.addUser({ username: 'alice' })
    // 62 letters: 22 of them are 131 bits.
    expect(password).toMatch(/^[A-Za-z0-9]{22,}$/)
    expect(user).toMatchObject({ username: 'alice', displayName: 'alice', email: null })
    expect((await stat(user.home)).mode & 0o777).toBe(0o700)
    const rows = JSON.stringify(opened.db.raw.reader.prepare('SELECT * FROM app_passwords').all())
    expect(leaksIn(rows, [password ?? ''])).toEqual([])
  })

  it('hashes a chosen password with argon2id at 19 MiB (robustness §5.1)', async () => {
    await using opened = await openUsers()
    const chosen = 'correct horse'
    const added = await opened.users.addUser({ username: 'alice', password: chosen })
    expect(added.password).toBeUndefined()
    const row = opened.db.raw.reader.prepare('SELECT hash FROM app_passwords').pluck().get()
    expect(row).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    expect(await opened.login('alice', chosen)).toBe('ok')
  })

  it.each([
    ['a taken name', { username: 'alice' }, 'user_exists'],
    ['a name that differs in case only', { username: 'ALICE' }, 'user_exists'],
    ['no name', { username: 'a/b' }, 'bad_username'],
    ['a short password', { username: 'bob', password: '1234567' }, 'bad_password'],
    ['a password beyond 1 KiB', { username: 'bob', password: 'x'.repeat(1025) }, 'bad_password'],
  ])('refuses %s and stores nothing', async (_name, wanted, code) => {
    await using opened = await openUsers()
    await opened.users.addUser({ username: 'alice' })
    await expect(opened.users.addUser(wanted)).rejects.toMatchObject({ code })
    expect(await opened.users.countUsers()).toBe(1)
  })

  it('refuses a home that holds the keys, wherever it is spelt from', async () => {
    await using opened = await openUsers()
    for (const home of ['data', '.', 'data/../data', '/']) {
      const wanted = { username: 'bob', home: home === '/' ? '/' : join(opened.path, home) }
      await expect(opened.users.addUser(wanted)).rejects.toMatchObject({ code: 'bad_home' })
    }
    const home = join(opened.path, 'elsewhere')
    expect((await opened.users.addUser({ username: 'bob', home })).user.home).toBe(home)
  })
})

describe('a login', () => {
  it('tells unknown names, wrong passwords and other kinds of credential apart from good ones', async () => {
    await using opened = await openUsers()
    const { password = '' } = await opened.users.addUser({ username: 'alice' })
    expect(await opened.login('alice', password)).toBe('ok')
    expect(await opened.login('alice', `${password}x`)).toBe('wrong')
    expect(await opened.login('nobody', password)).toBe('wrong')
    expect(await opened.login('A'.repeat(43), '')).toBe('not_a_username')
  })

  it('works with each of several app passwords, until it expires', async () => {
    await using opened = await openUsers()
    const { users, clock } = opened
    const { password = '' } = await users.addUser({ username: 'alice' })
    const phone = await users.addAppPassword('alice', { label: 'phone' })
    const brief = await users.addAppPassword('alice', { expiresAt: clock.now() + 1000 })
    expect(await opened.login('alice', phone.password)).toBe('ok')
    clock.advance('999ms')
    expect(await opened.login('alice', brief.password)).toBe('ok')
    clock.advance('1ms')
    expect(await opened.login('alice', brief.password)).toBe('wrong')
    expect(await opened.login('alice', password)).toBe('ok')
  })

  it('opens nothing with the password of another user', async () => {
    await using opened = await openUsers()
    const { password = '' } = await opened.users.addUser({ username: 'alice' })
    await opened.users.addUser({ username: 'bob' })
    expect(await opened.login('bob', password)).toBe('wrong')
  })

  it('is throttled for each name and address, whatever the case of the name', async () => {
    await using opened = await openUsers()
    const { password = '' } = await opened.users.addUser({ username: 'alice' })
    for (const name of ['alice', 'ALICE', 'Alice']) await opened.login(name, 'wrong')
    expect(await opened.login('alice', password)).toBe('throttled')
    expect(await opened.login('alice', password, '192.0.2.2')).toBe('ok')
    opened.clock.advance('60s')
    expect(await opened.login('alice', password)).toBe('ok')
  })

  it('counts a failure that ran beside others, too', async () => {
    await using opened = await openUsers()
    const { password = '' } = await opened.users.addUser({ username: 'alice' })
    await Promise.all(Array.from({ length: 3 }, () => opened.login('alice', 'wrong')))
    expect(await opened.login('alice', password)).toBe('throttled')
  })
})

describe('the password hasher', () => {
  it('remembers a verified password, but not beyond the stored hash', async () => {
    const hasher = createPasswordHasher()
    const [one, other] = [await hasher.hash('a password'), await hasher.hash('another one')]
    expect(await hasher.verify(one, 'a password')).toBe(true)
    expect(await hasher.verify(one, 'a password')).toBe(true)
    expect(await hasher.verify(other, 'a password')).toBe(false)
    expect(await hasher.verify(undefined, 'a password')).toBe(false)
    expect(await hasher.verify(one, 'x'.repeat(2000))).toBe(false)
  })
})

describe('guesses at the same time', () => {
  const chosen = 'correct horse'

  it('are bounded as if they came one after another: the right one among the last is refused', async () => {
    await using opened = await openUsers()
    await opened.users.addUser({ username: 'alice', password: chosen })
    const guesses = Array.from({ length: 200 }, (_, n) => (n === 197 ? chosen : `wrong ${n}`))
    const outcomes = await Promise.all(guesses.map((guess) => opened.login('alice', guess)))
    expect(outcomes.filter((status) => status === 'wrong')).toHaveLength(3)
    expect(outcomes.filter((status) => status === 'throttled')).toHaveLength(197)
    expect(outcomes[197]).toBe('throttled')
  }, 30_000)

  it('leave those alone who know the password, of either kind', async () => {
    await using opened = await openUsers()
    await opened.users.addUser({ username: 'alice', password: chosen })
    const { password = '' } = await opened.users.addUser({ username: 'bob' })
    const all = Array.from({ length: 200 }, () => [
      opened.login('alice', chosen),
      opened.login('bob', password),
    ])
    expect(new Set(await Promise.all(all.flat()))).toEqual(new Set(['ok']))
  }, 30_000)
})
