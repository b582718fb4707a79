import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { createLocalTree } from '../../../src/files/index.ts'

/** Several batches, the last of them a part of one. */
const parts = 37
const partBytes = 64 * 1024

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'files-'))
})
afterEach(() => rmSync(root, { recursive: true }))

async function write(disposable?: boolean) {
  const chunks = Array.from({ length: parts }, () => randomBytes(partBytes))
  const content = Buffer.concat(chunks)
  const tree = createLocalTree({ root, durability: 'normal' })
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) {
      await Promise.resolve()
      yield chunk
    }
  }
  await tree.write(['file'], body(), disposable === undefined ? {} : { disposable })
  expect(readFileSync(join(root, 'file')).equals(content)).toBe(true)
  return chunks.filter(({ length }) => length > 0).length
}

it('is written whole, and freed', async () => {
  expect(await write(true)).toBe(0)
})

it('is left alone unless its owner has said so', async () => {
  expect([await write(), await write(false)]).toEqual([parts, parts])
})
