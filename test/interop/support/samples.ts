import { randomBytes, randomFillSync } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from './tools.ts'

const mib = 1024 * 1024

/** Of the three files every client carries there and back. */
export const sizes = { empty: 0, 'one byte': 1, 'five MiB': 5 * mib } as const
export const largeSize = 300 * mib

/** Names that somebody, somewhere, escapes once too often or not at all. */
export const awkwardNames = [
  'with space',
  'hash#tag',
  '100% sure',
  'percent %41 encoded',
  "it's quoted",
  'say "hello"',
  'plus+and&equals=semi;comma,',
  'query?maybe',
  'brackets [1] {2} (3)',
  'markup <b> &amp; more',
  'star* colon: pipe| tilde~ caret^ at@ $dollar !bang',
  'percent %2F slash %2e%2e dots',
  '.hidden',
  ' blank at both ends ',
  'emoji 🦊 and 👩‍🚀',
  // e and a combining acute accent, as macOS writes it; then the same letter as one.
  'decomposed cafe\u0301',
  'composed na\u00efve',
  '日本語',
  // 200 bytes in UTF-8.
  'ö'.repeat(100),
  `${'x'.repeat(197)}.md`,
] as const

/** The three sizes and one small file for each awkward name, as a client would have them. */
export function writeSamples(folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const [name, size] of Object.entries(sizes)) {
    writeFileSync(join(folder, `${name}.bin`), randomBytes(size))
  }
  for (const name of awkwardNames) writeFileSync(join(folder, name), `This is ${name}.\n`)
}

/** Files of up to 2 KiB, no two alike, in ten folders. */
export function writeMany(folder: string, count: number): void {
  for (let number = 0; number < count; number++) {
    const parent = join(folder, `folder ${number % 10}`)
    mkdirSync(parent, { recursive: true })
    writeFileSync(
      join(parent, `file ${Math.floor(number / 10)}`),
      `${number}${'x'.repeat(number * 4)}`,
    )
  }
}

/** 300 MiB of which no two MiB are alike, so that a lost or doubled piece is seen. */
export function writeLarge(file: string): void {
  const piece = Buffer.alloc(mib)
  const target = openSync(file, 'w')
  for (let written = 0; written < largeSize; written += piece.length) {
    writeSync(target, randomFillSync(piece))
  }
  closeSync(target)
}

/** What a folder holds: each file's relative path with its SHA-256; folders end in a slash. */
export async function contentsOf(folder: string): Promise<Record<string, string>> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const found: [string, string][] = []
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
    const relative = path.slice(folder.length + 1)
    found.push(entry.isDirectory() ? [`${relative}/`, ''] : [relative, await sha256(path)])
  }
  return Object.fromEntries(found.sort(([one], [other]) => (one < other ? -1 : 1)))
}
