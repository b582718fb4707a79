import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalTree, type FileTree } from '../../../src/files/index.ts'
import { createUserTree } from '../../../src/mounts/user-tree.ts'
import type { Mount } from '../../../src/shares/index.ts'

export const mountOf = (mountName: string, change: Partial<Mount> = {}): Mount => ({
  id: `rcv-${mountName}`,
  userId: 'usr-1',
  mountName,
  senderHost: 'peer.example',
  sender: 'einstein@peer.example',
  resourceType: 'folder',
  permissions: null,
  createdAt: 1000,
  respondedAt: 2000,
  expiresAt: null,
  seen: null,
  ...change,
})

export interface Stage {
  readonly tree: FileTree
  readonly home: FileTree
  /** Where a mount leads to; a local tree stands in for the sender. */
  senderOf(name: string): FileTree
  /** What is mounted just now. */
  mounts: Mount[]
  readonly declined: string[]
  /** What copies have left in mounts. */
  readonly left: string[]
  readonly root: string
  dispose(): void
}

/** A home and mounts, all on this disk. */
export function stageOf(...mounts: readonly Mount[]): Stage {
  const root = mkdtempSync(join(tmpdir(), 'mounts-'))
  const trees = new Map<string, FileTree>()
  const open = (name: string): FileTree => {
    const known = trees.get(name)
    if (known) return known
    mkdirSync(join(root, name))
    const { receive: _nothingIsHiddenThere, ...tree } = createLocalTree({
      root: join(root, name),
      durability: 'normal',
    })
    trees.set(name, tree)
    return tree
  }
  mkdirSync(join(root, 'home'))
  const home = createLocalTree({ root: join(root, 'home'), durability: 'normal' })
  const declined: string[] = []
  const left: string[] = []
  let version = 0
  const stage: Stage = {
    home,
    mounts: [...mounts],
    declined,
    left,
    root,
    senderOf: (name) => open(`rcv-${name}`),
    dispose: () => rmSync(root, { recursive: true }),
    tree: createUserTree({
      home,
      sharedFolder: 'Shared',
      limits: {
        maxBytes: 10_000,
        maxEntries: 300,
        pace: { idleMs: 60_000, minBytesPerSecond: 0, windowMs: 60_000 },
      },
      mounts() {
        const list = stage.mounts
        return {
          list,
          signature: JSON.stringify(list),
          find: (name) => list.find(({ mountName }) => mountName === name),
          leftAt: () => undefined,
        }
      },
      onLeft: (name) => left.push(name),
      openMount: ({ id }) => open(id),
      rename(mount, name) {
        stage.mounts = stage.mounts.map((one) =>
          one.id === mount.id ? { ...one, mountName: name } : one,
        )
        return Promise.resolve(true)
      },
      decline({ id }) {
        declined.push(id)
        stage.mounts = stage.mounts.filter((one) => one.id !== id)
        return Promise.resolve()
      },
      nextVersion: () => (version -= 1),
    }),
  }
  return stage
}
