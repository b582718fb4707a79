import {
  AppError,
  createSealer,
  reach,
  replaceSecretKey,
  type Logger,
  type SecretKeys,
} from './core/index.ts'
import { resealAll, type Database } from './db/index.ts'

/** Seals with the current key what the former one has sealed, then forgets that. */
export async function finishRotation(
  db: Database,
  file: string,
  { current, former }: SecretKeys,
): Promise<number> {
  const either = createSealer(current, former)
  const resealed = await resealAll(db, ({ sealed, context }) => {
    void reach('secret.resealing')
    return either.seal(either.open(sealed, context), context)
  })
  await reach('secret.resealed')
  replaceSecretKey(file, { current, former: undefined })
  await reach('secret.replaced')
  return resealed
}

/** Goes on with a rotation that was interrupted, if one was. */
export async function goOnRotating(
  db: Database,
  file: string,
  keys: SecretKeys,
  log: Logger,
): Promise<void> {
  if (keys.former === undefined) return
  try {
    await finishRotation(db, file, keys)
    log.warn({ file }, 'the interrupted rotation of secret.key is complete')
  } catch (error) {
    // Both keys open everything: whoever may write the file completes it.
    if (!(error instanceof AppError) || error.code !== 'secret_key_unwritable') throw error
    log.warn({ file, err: error }, 'the former key stays in secret.key; run davmesh secret rotate')
  }
}
