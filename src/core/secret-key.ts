import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { AppError } from './errors.ts'
import { randomText } from './ids.ts'
import type { Logger } from './log.ts'

const keyBytes = 32

/** What `secret.key` holds: a line each. */
export interface SecretKeys {
  /** Seals, and opens. */
  readonly current: Buffer
  /** Opens what was sealed before a rotation that is not complete. */
  readonly former: Buffer | undefined
}

export const newSecretKey = (): Buffer => randomBytes(keyBytes)

const refuse = (code: string, message: string): AppError =>
  new AppError('unavailable', code, message)

/** No name that anybody would give to a copy of a key: it may be removed. */
const partialOf = (file: string): string => `${file}.${randomText(8)}.partial`

/** Makes `secret.key` where there is none; it never replaces one. */
export function createSecretKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const whole = partialOf(file)
  const text = lineOf(newSecretKey())
  writeFileSync(whole, text, { mode: 0o600, flag: 'wx', flush: true })
  try {
    // A link appears with its content or not at all, and never in place of another's key.
    linkSync(whole, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    unlinkSync(whole)
  }
}

const lineOf = (key: Buffer): string => `${key.toString('base64url')}\n`

/**
 * Puts other keys in the place of what the file holds, durably and at once. Whoever could read the
 * old one, perhaps another user than this, can read the new one.
 *
 * @throws AppError `secret_key_unwritable`; the file is as it was.
 */
export function replaceSecretKey(file: string, { current, former }: SecretKeys): void {
  // A link stays a link.
  const target = realpathSync(file)
  const whole = partialOf(target)
  try {
    const text = lineOf(current) + (former ? lineOf(former) : '')
    writeFileSync(whole, text, { mode: 0o600, flag: 'wx', flush: true })
    const { uid, gid, mode } = statSync(target)
    const own = statSync(whole)
    if (uid !== own.uid || gid !== own.gid) chownSync(whole, uid, gid)
    // Only then: the group is the right one now.
    chmodSync(whole, mode & 0o640)
    renameSync(whole, target)
    syncDirectory(dirname(target))
  } catch (cause) {
    rmSync(whole, { force: true })
    const message = `The key ${file} cannot be replaced: ${(cause as Error).message}.`
    throw new AppError('unavailable', 'secret_key_unwritable', message, { cause })
  }
}

/** Removes what a kill left of a replacement; only for who holds the data directory. */
export function removePartialKeys(file: string): void {
  const target = realpathSync(file)
  const isPartial = (name: string): boolean =>
    name.startsWith(`${basename(target)}.`) &&
    /^\.[A-Za-z0-9]{8}\.partial$/.test(name.slice(basename(target).length))
  try {
    const names = readdirSync(dirname(target)).filter(isPartial)
    for (const name of names) rmSync(join(dirname(target), name), { force: true })
  } catch {
    // Who may not look or write there has left nothing there, and needs nothing of it.
  }
}

function syncDirectory(directory: string): void {
  const fd = openSync(directory, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * Reads the key that seals secrets in the database, and the former one while that is needed.
 *
 * @throws AppError `secret_key_missing`, `secret_key_malformed`.
 */
export function loadSecretKey(file: string, log: Logger): SecretKeys {
  const keys = readSecretKey(file)
  if ((statSync(file).mode & 0o077) !== 0) {
    log.warn({ file }, 'secret.key can be read by others; chmod it to 0600')
  }
  return keys
}

/**
 * For who has read the key before it was sure that nobody replaces it.
 *
 * @throws AppError `secret_key_replaced`, and as `loadSecretKey`.
 */
export function requireSameSecretKey(file: string, { current }: SecretKeys): void {
  if (readSecretKey(file).current.equals(current)) return
  const message = `The key ${file} was rotated while this started; start it again.`
  throw refuse('secret_key_replaced', message)
}

function readSecretKey(file: string): SecretKeys {
  if (!existsSync(file)) {
    const message = `The key ${file} is missing, and the database cannot be read without it; restore it from the backup.`
    throw refuse('secret_key_missing', message)
  }
  const lines = readFileSync(file, 'utf8').trim().split(/\s+/)
  const [current, former, ...more] = lines.map((line) => Buffer.from(line, 'base64url'))
  const isKey = (key: Buffer | undefined): boolean => key?.length === keyBytes
  if (current && isKey(current) && (!former || isKey(former)) && more.length === 0) {
    return { current, former }
  }
  throw refuse('secret_key_malformed', `The key ${file} must be ${keyBytes} bytes as base64url.`)
}
