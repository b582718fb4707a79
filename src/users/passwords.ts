import { hash, verify, type Options } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { LRUCache } from 'lru-cache'
import { hashSecret, randomText } from '../core/index.ts'
import { UserError } from './errors.ts'

/** OWASP's argon2id minimum: 19 MiB, two passes, one lane (argon2id is the library's default). */
const cost: Options = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

const minLength = 8
const maxBytes = 1024

/** 24 letters and digits: 142 random bits, so a fast hash is enough. */
export const newAppPassword = (): string => randomText(24)

export interface PasswordHasher {
  /** @throws UserError `bad_password` when it is too short or too long. */
  hash(password: string): Promise<string>
  /** Costs the same whether or not `stored` is there, so that timing names no user. */
  verify(stored: string | undefined, password: string): Promise<boolean>
}

/**
 * argon2id, at most four at once (19 MiB each), with a short memory of what was just verified.
 * The memory is keyed by the stored hash as well, so a changed or removed password is never in it.
 */
export function createPasswordHasher(): PasswordHasher {
  const turns = pLimit(4)
  const verified = new LRUCache<string, true>({ max: 10_000, ttl: 60_000 })
  const decoy = turns(() => hash(randomText(24), cost))
  return {
    async hash(password) {
      if (password.length < minLength || Buffer.byteLength(password) > maxBytes) {
        const message = `A password has at least ${minLength} characters and at most ${maxBytes} bytes.`
        throw new UserError('bad_password', message)
      }
      return turns(() => hash(password, cost))
    },
    async verify(stored, password) {
      if (Buffer.byteLength(password) > maxBytes) return false
      if (stored === undefined) {
        const nobody = await decoy
        await turns(() => verify(nobody, password))
        return false
      }
      const memory = hashSecret(`${stored}\n${password}`)
      if (verified.has(memory)) return true
      const matches = await turns(() => verify(stored, password))
      if (matches) verified.set(memory, true)
      return matches
    },
  }
}
