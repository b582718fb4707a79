import { hashSecret, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import {
  blocksKeyOf,
  keysOf,
  longestWaitMs,
  noteFailure,
  type FailureKeys,
  type LoginLimit,
} from './failures.ts'
import { createGuesses } from './guesses.ts'
import type { PasswordHasher } from './passwords.ts'
import {
  deleteFailures,
  findChosenPassword,
  findUserByName,
  prepareFindFailures,
  prepareFindLogin,
} from './queries.ts'
import { isUsername } from './username.ts'

/** Whose password it is, or why it opens nothing. */
export type LoginOutcome =
  | { readonly status: 'ok'; readonly userId: string; readonly username: string }
  /** The name cannot be a user's; another kind of credential may be in its place. */
  | { readonly status: 'not_a_username' }
  | { readonly status: 'wrong' }
  | { readonly status: 'throttled'; readonly retryAfterSeconds: number }

export interface LoginDeps {
  db: Database
  clock: Clock
  events: EventHub
  hasher: PasswordHasher
  limit: LoginLimit
}

/**
 * Checks a user name and a password of either kind. Unknown users, disabled users and wrong
 * passwords cost the same and look the same. Failures are counted in the database, so that a restart
 * forgives nothing.
 */
export function createLogin({ db, clock, events, hasher, limit }: LoginDeps) {
  const findLogin = prepareFindLogin(db)
  const findFailures = prepareFindFailures(db)

  const guesses = createGuesses()

  const mostOf = (key: string, keys: FailureKeys): number =>
    key === keys.own ? limit.failures : limit.addressFailures

  async function look(keys: FailureKeys) {
    const now = clock.now()
    // A window that ends later than any means that the clock was set back.
    const past = await findFailures.execute({ ...keys, now, latest: now + longestWaitMs(limit) })
    const blocked = past.filter(({ key, failures }) => failures >= mostOf(key, keys))
    const endsAt = Math.max(0, ...blocked.map(({ windowEndsAt }) => windowEndsAt))
    const retryAfterSeconds = blocked.length > 0 ? Math.ceil((endsAt - now) / 1000) : undefined
    return { past, retryAfterSeconds }
  }

  /** Waits until what is being guessed, should all of it be wrong, does not exceed the bounds. */
  async function takeTurn(keys: FailureKeys): Promise<number | undefined> {
    const both = [keys.own, keys.address]
    for (;;) {
      if (both.some((key) => guesses.countOf(key) >= mostOf(key, keys))) {
        await guesses.ended(both)
        continue
      }
      guesses.begin(both)
      const { past, retryAfterSeconds } = await look(keys).catch((error: unknown) => {
        guesses.end(both, true)
        throw error
      })
      const failuresOf = (key: string): number => past.find((row) => row.key === key)?.failures ?? 0
      const fits = both.every((key) => failuresOf(key) + guesses.countOf(key) <= mostOf(key, keys))
      if (fits) return undefined
      guesses.end(both, retryAfterSeconds !== undefined)
      if (retryAfterSeconds !== undefined) return retryAfterSeconds
      await guesses.ended(both)
    }
  }

  async function refuse(username: string, retryAfterSeconds: number): Promise<LoginOutcome> {
    const known = await findUserByName(db, username)
    events.emit('login.refused', { username: known?.username, reason: 'throttled' })
    return { status: 'throttled', retryAfterSeconds }
  }

  async function succeed(
    owner: { id: string; username: string },
    keys: FailureKeys,
    hadFailed: boolean,
  ): Promise<LoginOutcome> {
    // What an address has done to others is not made good by a password of its own.
    if (hadFailed) {
      await inTransaction(db, (tx) => deleteFailures(tx, [keys.own, blocksKeyOf(keys.own)]))
    }
    return { status: 'ok', userId: owner.id, username: owner.username }
  }

  async function guess(
    username: string,
    password: string,
    keys: FailureKeys,
  ): Promise<LoginOutcome> {
    const chosen = await findChosenPassword(db, username)
    const isRight = await hasher.verify(chosen?.hash, password)
    // Others, in other processes too, may have failed meanwhile: then even the right one is refused.
    const { past, retryAfterSeconds } = await look(keys)
    if (retryAfterSeconds !== undefined) return refuse(username, retryAfterSeconds)
    if (isRight && chosen)
      return succeed(
        chosen,
        keys,
        past.some(({ key }) => key === keys.own),
      )
    // A name that is nobody's may be a password typed into the wrong field.
    const known = await findUserByName(db, username)
    const reason = known === undefined ? 'unknown user' : 'wrong password'
    events.emit('login.refused', { username: known?.username, reason })
    await inTransaction(db, (tx) => noteFailure(tx, keys, limit, clock.now()))
    return { status: 'wrong' }
  }

  return async function login(
    username: string,
    password: string,
    address: string,
  ): Promise<LoginOutcome> {
    if (!isUsername(username)) return { status: 'not_a_username' }
    const keys = keysOf(username, address)
    const { past, retryAfterSeconds } = await look(keys)
    if (retryAfterSeconds !== undefined) return refuse(username, retryAfterSeconds)
    const hash = hashSecret(password)
    const [owner] = await findLogin.execute({ username, hash, now: clock.now() })
    if (owner)
      return succeed(
        owner,
        keys,
        past.some(({ key }) => key === keys.own),
      )
    const throttled = await takeTurn(keys)
    if (throttled !== undefined) return refuse(username, throttled)
    try {
      return await guess(username, password, keys)
    } finally {
      guesses.end([keys.own, keys.address], true)
    }
  }
}
