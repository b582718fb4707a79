import { hashSecret, type Clock, type EventHub } from '../core/index.ts'
import { inTransaction, type Database } from '../db/index.ts'
import type { PasswordHasher } from './passwords.ts'
import {
  deleteFailures,
  findChosenPassword,
  findUserByName,
  prepareFindFailures,
  prepareFindLogin,
  recordFailure,
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
  limit: { failures: number; windowSeconds: number }
}

/**
 * Checks a user name and a password of either kind. Unknown users, disabled users and wrong
 * passwords cost the same and look the same. Failures are counted per user and address in the
 * database, so that a restart forgives nothing.
 */
export function createLogin({ db, clock, events, hasher, limit }: LoginDeps) {
  const findLogin = prepareFindLogin(db)
  const findFailures = prepareFindFailures(db)

  async function identify(username: string, password: string) {
    const hash = hashSecret(password)
    const [owner] = await findLogin.execute({ username, hash, now: clock.now() })
    if (owner !== undefined) return owner
    const chosen = await findChosenPassword(db, username)
    return (await hasher.verify(chosen?.hash, password)) ? chosen : undefined
  }

  return async function login(
    username: string,
    password: string,
    address: string,
  ): Promise<LoginOutcome> {
    if (!isUsername(username)) return { status: 'not_a_username' }
    const now = clock.now()
    const key = hashSecret(`${username.toLowerCase()}\n${address}`)
    const windowMs = limit.windowSeconds * 1000
    // A window that ends later than any means that the clock was set back.
    const latest = now + 2 * windowMs
    const [past] = await findFailures.execute({ key, now, latest })
    if (past !== undefined && past.failures >= limit.failures) {
      const known = await findUserByName(db, username)
      events.emit('login.refused', { username: known?.username, reason: 'throttled' })
      const waitMs = Math.min(past.windowEndsAt - now, windowMs)
      const retryAfterSeconds = Math.max(1, Math.ceil(waitMs / 1000))
      return { status: 'throttled', retryAfterSeconds }
    }
    const owner = await identify(username, password)
    if (owner === undefined) {
      // A name that is nobody's may be a password typed into the wrong field.
      const known = await findUserByName(db, username)
      const reason = known === undefined ? 'unknown user' : 'wrong password'
      events.emit('login.refused', { username: known?.username, reason })
      const ends = { windowEndsAt: now + windowMs, latest }
      await inTransaction(db, (tx) => recordFailure(tx, key, now, ends))
      return { status: 'wrong' }
    }
    if (past !== undefined) await inTransaction(db, (tx) => deleteFailures(tx, key))
    return { status: 'ok', userId: owner.id, username: owner.username }
  }
}
