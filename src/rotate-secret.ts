import type { Config } from './config/index.ts'
import {
  createSealer,
  loadSecretKey,
  newSecretKey,
  reach,
  removePartialKeys,
  replaceSecretKey,
  requireSameSecretKey,
  type Clock,
  type Logger,
  type SecretKeys,
} from './core/index.ts'
import { sealedValues, takeServeLock, type Database } from './db/index.ts'
import { finishRotation } from './reseal.ts'
import { openData } from './data.ts'

/** What a rotation of `secret.key` did. */
export interface SecretRotation {
  readonly file: string
  /** How many values are sealed with the new key. */
  readonly resealed: number
  /** Whether it ended one that had been interrupted. */
  readonly continued: boolean
}

/**
 * Seals everything with a new `secret.key`. At every instant the file holds what opens every value:
 * first the new key with the former one below, then, when nothing needs that any more, the new one
 * alone. Whatever interrupts it, the next start, or the next rotation, goes on.
 *
 * @throws AppError `already_served`; `unsealable` when the key does not open everything there is.
 */
export async function rotateSecret(
  config: Config,
  clock: Clock,
  log: Logger,
): Promise<SecretRotation> {
  const file = config.secretKeyFile
  // Before anything is opened: without a key there is nothing to rotate.
  const keys = loadSecretKey(file, log)
  const lock = takeServeLock(config.dataDir)
  try {
    requireSameSecretKey(file, keys)
    removePartialKeys(file)
    const { db } = openData(config, clock, log, { isOurs: true })
    try {
      const isNew = keys.former === undefined
      const now = isNew ? await stageKey(db, file, keys.current) : keys
      return { file, resealed: await finishRotation(db, file, now), continued: !isNew }
    } finally {
      db.close()
    }
  } finally {
    lock.release()
  }
}

/** Puts a new key above the one in use, which it proves first. */
async function stageKey(db: Database, file: string, former: Buffer): Promise<SecretKeys> {
  const sealer = createSealer(former)
  for (const { sealed, context } of sealedValues(db)) sealer.open(sealed, context)
  const keys = { current: newSecretKey(), former }
  replaceSecretKey(file, keys)
  await reach('secret.staged')
  return keys
}
