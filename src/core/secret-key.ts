import { randomBytes } from 'node:crypto'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { AppError } from './errors.ts'
import { randomText } from './ids.ts'
import type { Logger } from './log.ts'

const keyBytes = 32

const refuse = (code: string, message: string): AppError =>
  new AppError('unavailable', code, message)

/** Makes `secret.key` where there is none; it never replaces one. */
export function createSecretKey(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const whole = `${file}.${randomText(8)}`
  const text = `${randomBytes(keyBytes).toString('base64url')}\n`
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

/**
 * Reads the key that seals secrets in the database.
 *
 * @throws AppError `secret_key_missing`, `secret_key_malformed`.
 */
export function loadSecretKey(file: string, log: Logger): Buffer {
  if (!existsSync(file)) {
    const message = `The key ${file} is missing, and the database cannot be read without it; restore it from the backup.`
    throw refuse('secret_key_missing', message)
  }
  if ((statSync(file).mode & 0o077) !== 0) {
    log.warn({ file }, 'secret.key can be read by others; chmod it to 0600')
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64url')
  if (key.length === keyBytes) return key
  throw refuse('secret_key_malformed', `The key ${file} must be ${keyBytes} bytes as base64url.`)
}
