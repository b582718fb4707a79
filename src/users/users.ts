import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve } from 'node:path'
import { hashSecret, newId, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, type Database, type Transaction } from '../db/index.ts'
import { UserError } from './errors.ts'
import type { LoginLimit } from './failures.ts'
import { createLogin } from './login.ts'
import { createPasswordHasher, newAppPassword } from './passwords.ts'
import {
  countUsers,
  deleteAppPassword,
  deleteChosenPassword,
  deleteOldFailures,
  deleteUser,
  findUserByAnyCase,
  findUserById,
  findUserByName,
  insertAppPassword,
  insertUser,
  selectAppPasswords,
  selectUsers,
  updateUser,
  type AppPasswordRow,
  type UserRow,
} from './queries.ts'
import { parseUsername } from './username.ts'

/** A local person. */
export type User = UserRow

/** A password of a user's, without anything that opens anything. */
export type Password = Omit<AppPasswordRow, 'hash' | 'userId'>

export interface UsersDeps {
  db: Database
  clock: Clock
  events: EventHub
  /** Parent of the home folders that davmesh makes itself. */
  filesRoot: string
  /** Never inside a home: it holds the keys. */
  dataDir: string
  limit: LoginLimit
  /**
   * Ends what others have of a user, in the transaction in which the user goes; what it returns tells
   * them.
   */
  endAllOf?(tx: Transaction, user: User): Promise<() => Promise<void>>
}

export interface NewUser {
  username: string
  displayName?: string | undefined
  email?: string | undefined
  /** A folder of the person's own, anywhere; made if missing. */
  home?: string | undefined
  /** Chosen by a person; without it an app password is generated. */
  password?: string | undefined
}

export interface NewAppPassword {
  label?: string | undefined
  expiresAt?: number | undefined
}

export type Users = ReturnType<typeof createUsers>

/** Whether `path` is `folder` or lies below it. */
function isWithin(path: string, folder: string): boolean {
  const inside = relative(folder, resolve(path))
  return !inside.startsWith('..') && !isAbsolute(inside)
}

export function createUsers(deps: UsersDeps) {
  const { db, clock, events, filesRoot, dataDir, limit } = deps
  const hasher = createPasswordHasher()

  async function getUser(username: string): Promise<User> {
    const user = await findUserByName(db, username)
    if (user !== undefined) return user
    throw new UserError(
      'user_not_found',
      `There is no user "${username}"; "davmesh user list" shows them.`,
    )
  }

  /** A home neither holds the server's own data nor meets another user's home. */
  async function checkHome(home: string): Promise<string> {
    const path = resolve(home)
    if (isWithin(dataDir, path)) {
      const message = `${path} holds the server's own data (${dataDir}); choose another folder.`
      throw new UserError('bad_home', message)
    }
    const other = (await selectUsers(db)).find(
      (user) => isWithin(user.home, path) || isWithin(path, user.home),
    )
    if (other === undefined) return path
    const message = `${path} meets the home of ${other.username} (${other.home}); choose another folder.`
    throw new UserError('bad_home', message)
  }

  return {
    /** Whose password is this? The verb of the Basic plugin. */
    login: createLogin({ db, clock, events, hasher, limit }),

    getUser,

    /** By name, if there is such a user and it may log in. */
    async findEnabledUser(username: string): Promise<User | undefined> {
      const user = await findUserByName(db, username)
      return user?.disabledAt === null ? user : undefined
    },

    findUserById: (id: string) => findUserById(db, id),

    countUsers: () => countUsers(db),

    listUsers: () => selectUsers(db),

    /**
     * Makes a user and the home folder.
     *
     * @returns the user, and the generated app password unless one was chosen.
     * @throws UserError `bad_username`, `bad_password`, `bad_home`, `user_exists`.
     */
    async addUser(wanted: NewUser): Promise<{ user: User; password: string | undefined }> {
      const username = parseUsername(wanted.username)
      if ((await findUserByAnyCase(db, username)) !== undefined) {
        throw new UserError('user_exists', `There already is a user "${username}".`)
      }
      const home = await checkHome(wanted.home ?? join(filesRoot, username))
      const { password } = wanted
      const generated = password === undefined ? newAppPassword() : undefined
      const now = clock.now()
      const user: User = {
        id: newId(),
        username,
        displayName: wanted.displayName ?? username,
        email: wanted.email ?? null,
        home,
        createdAt: now,
        disabledAt: null,
      }
      const secret =
        password === undefined
          ? { label: 'first', kind: 'generated' as const, hash: hashSecret(generated ?? '') }
          : { label: 'password', kind: 'chosen' as const, hash: await hasher.hash(password) }
      mkdirSync(home, { recursive: true, mode: 0o700 })
      await inTransaction(db, async (tx) => {
        await insertUser(tx, user)
        await insertAppPassword(tx, { id: newId(), userId: user.id, createdAt: now, ...secret })
      })
      events.emit('user.added', { username })
      return { user, password: generated }
    },

    /** Drops failed logins whose window has ended, at most `limit`. Returns how many. */
    removeOldFailures: (limit: number): Promise<number> =>
      inTransaction(db, (tx) => deleteOldFailures(tx, clock.now(), limit)),

    /** Another app password, shown this once. */
    async addAppPassword(
      username: string,
      { label = 'app', expiresAt }: NewAppPassword = {},
    ): Promise<{ username: string; label: string; password: string }> {
      const user = await getUser(username)
      const password = newAppPassword()
      await inTransaction(db, (tx) =>
        insertAppPassword(tx, {
          id: newId(),
          userId: user.id,
          label,
          kind: 'generated',
          hash: hashSecret(password),
          createdAt: clock.now(),
          expiresAt: expiresAt ?? null,
        }),
      )
      return { username: user.username, label, password }
    },

    listPasswords: async (username: string): Promise<Password[]> => {
      const rows = await selectAppPasswords(db, (await getUser(username)).id)
      return rows.map(({ hash, userId, ...password }) => password)
    },

    /** Replaces the password a person chose; app passwords stay. */
    async setPassword(username: string, password: string): Promise<void> {
      const { id: userId } = await getUser(username)
      const row = { userId, label: 'password', kind: 'chosen' as const }
      const hash = await hasher.hash(password)
      await inTransaction(db, async (tx) => {
        await deleteChosenPassword(tx, userId)
        await insertAppPassword(tx, { id: newId(), createdAt: clock.now(), hash, ...row })
      })
    },

    /** The next request with this password is refused. */
    async revokePassword(username: string, id: string): Promise<void> {
      const { id: userId } = await getUser(username)
      if (await inTransaction(db, (tx) => deleteAppPassword(tx, userId, id))) return
      throw new UserError('password_not_found', `${username} has no password "${id}".`)
    },

    /** The next request of the user, and of everybody the user shared with, is refused. */
    async disableUser(username: string): Promise<User> {
      const user = await getUser(username)
      const disabledAt = user.disabledAt ?? clock.now()
      await inTransaction(db, (tx) => updateUser(tx, user.id, { disabledAt }))
      events.emit('user.disabled', { username })
      return { ...user, disabledAt }
    },

    async enableUser(username: string): Promise<User> {
      const user = await getUser(username)
      await inTransaction(db, (tx) => updateUser(tx, user.id, { disabledAt: null }))
      return { ...user, disabledAt: null }
    },

    /** Forgets the user with all passwords, shares and tokens; the files stay unless told. */
    async removeUser(username: string, { deleteFiles = false } = {}): Promise<User> {
      const user = await getUser(username)
      const tell = await inTransaction(db, async (tx) => {
        const waiting = await deps.endAllOf?.(tx, user)
        await deleteUser(tx, user.id)
        return waiting
      })
      if (deleteFiles) await rm(user.home, { recursive: true, force: true })
      await tell?.()
      return user
    },
  }
}
