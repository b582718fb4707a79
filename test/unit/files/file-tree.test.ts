import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalTree, subtree } from '../../../src/files/index.ts'
import { describeFileTree } from './file-tree-contract.ts'

const scratch = () => {
  const root = mkdtempSync(join(tmpdir(), 'files-'))
  return { root, dispose: () => rmSync(root, { recursive: true }) }
}

for (const durability of ['full', 'normal'] as const) {
  describeFileTree(`local, ${durability}`, () => {
    const { root, dispose } = scratch()
    return Promise.resolve({ tree: createLocalTree({ root, durability }), dispose })
  })
}

describeFileTree('local, on a network file system', () => {
  const { root, dispose } = scratch()
  const tree = createLocalTree({ root, durability: 'normal', medium: 'network' })
  return Promise.resolve({ tree, dispose })
})

describeFileTree('a part of a local tree', () => {
  const { root, dispose } = scratch()
  mkdirSync(join(root, 'a', 'b'), { recursive: true })
  const tree = subtree(createLocalTree({ root, durability: 'normal' }), ['a', 'b'])
  return Promise.resolve({ tree, dispose })
})
