import { randomBytes } from 'node:crypto'

/** Letters and digits only: the same in base64, base64url, URLs, shells and spreadsheets. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Bytes at or above this would make some letters likelier than others. */
const fairBytes = 256 - (256 % alphabet.length)

/** Asking for random bytes one text at a time costs ten times the text. */
let pool = Buffer.alloc(0)

/** `length` random letters and digits, 5.95 bits each. */
export function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    if (pool.length === 0) pool = randomBytes(4096)
    const byte = pool.readUInt8()
    // What made a secret is not kept.
    pool.writeUInt8(0)
    pool = pool.subarray(1)
    if (byte < fairBytes) text += alphabet.charAt(byte % alphabet.length)
  }
  return text
}

/** An identifier that nobody guesses: 22 characters, 131 bits. */
export const newId = (): string => randomText(22)
