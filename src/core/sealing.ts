import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AppError } from './errors.ts'

const version = 1
const nonceBytes = 12
const tagBytes = 16

/** Encrypts what the database keeps but must give back: AES-256-GCM under `secret.key`. */
export interface Sealer {
  /** `context` names the row and column, so that a sealed value cannot be moved to another. */
  seal(plain: string, context: string): Buffer
  /** @throws AppError `unsealable` when the key is wrong or the value was altered. */
  open(sealed: Uint8Array, context: string): string
}

/** @param former a key that some values may still be sealed with, while another takes over. */
export function createSealer(key: Uint8Array, former?: Uint8Array): Sealer {
  const sealer = sealerOf(key)
  if (former === undefined) return sealer
  const before = sealerOf(former)
  return {
    seal: sealer.seal,
    open(sealed, context) {
      try {
        return sealer.open(sealed, context)
      } catch {
        return before.open(sealed, context)
      }
    },
  }
}

function sealerOf(key: Uint8Array): Sealer {
  return {
    seal(plain, context) {
      const nonce = randomBytes(nonceBytes)
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(Buffer.from(context))
      const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([Buffer.of(version), nonce, cipher.getAuthTag(), body])
    },
    open(sealed, context) {
      const bytes = Buffer.from(sealed)
      try {
        if (bytes[0] !== version) throw new Error(`sealed in an unknown way (${String(bytes[0])})`)
        const nonce = bytes.subarray(1, 1 + nonceBytes)
        const tag = bytes.subarray(1 + nonceBytes, 1 + nonceBytes + tagBytes)
        const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
        decipher.setAAD(Buffer.from(context))
        decipher.setAuthTag(tag)
        const body = bytes.subarray(1 + nonceBytes + tagBytes)
        return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8')
      } catch (cause) {
        throw new AppError(
          'internal',
          'unsealable',
          'A sealed value could not be opened: secret.key is not the key it was sealed with.',
          { cause, detail: { context } },
        )
      }
    },
  }
}
