import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, jest } from '@jest/globals'
import { createLocalTree, type FileTree } from '../../../src/files/index.ts'
import { tempDir } from '../../support/temp-dir.ts'

jest.setTimeout(60_000)

/** Of 16 MiB for all, 1.4 are taken by 4,000 members. */
const members = 4000
const directories = 14

/** Whether a directory is kept: what is asked for the first time is not. */
const isKept = async (tree: FileTree, name: string): Promise<boolean> =>
  (await tree.view?.([name])) !== undefined

describe('what is kept of local directories', () => {
  it('has one bound, beyond which it is forgotten whose listing is longest ago', async () => {
    await using dir = await tempDir()
    const root = dir.path
    for (let index = 0; index < directories; index += 1) {
      mkdirSync(join(root, `d${index}`))
      for (let member = 0; member < members; member += 1) {
        writeFileSync(join(root, `d${index}`, `${member}`), '')
      }
    }
    const tree = createLocalTree({ root, durability: 'normal', medium: 'local' })
    for (let index = 0; index < directories; index += 1) {
      expect(await isKept(tree, `d${index}`)).toBe(false)
      expect(await isKept(tree, `d${index}`)).toBe(true)
    }
    expect(await isKept(tree, `d${directories - 1}`)).toBe(true)
    expect(await isKept(tree, 'd0')).toBe(false)
  })
})
