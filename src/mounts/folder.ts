import type { DirectoryView, Entry, FileTree } from '../files/index.ts'
import { folderEntry, mountEntry, withFolder } from './entries.ts'
import type { MountsOfUser } from './mounts-of-user.ts'

/** The folder of shares of one user, which lives in the database, and the home it is in. */
export type SharesFolder = ReturnType<typeof createSharesFolder>

/**
 * A directory of the user's own by that name stays visible, united with the shares; where both have
 * a name, it is the share's.
 *
 * @param nextVersion numbers for views that no home uses.
 */
export function createSharesFolder(home: FileTree, name: string, nextVersion: () => number) {
  /** By the members of the home's own view, so that they live no longer than these. */
  const roots = new WeakMap<readonly Entry[], Kept>()
  const folders = new WeakMap<readonly Entry[], Kept>()
  let alone: Kept | undefined

  interface Kept {
    readonly signature: string
    readonly view: DirectoryView
  }

  /** The same view as long as neither the home's nor the shares change. */
  function unite(
    known: WeakMap<readonly Entry[], Kept>,
    base: DirectoryView,
    { signature }: MountsOfUser,
    make: () => Omit<DirectoryView, 'version'>,
  ): DirectoryView {
    const kept = known.get(base.members)
    if (kept?.signature === signature) return kept.view
    const view = { ...make(), version: nextVersion() }
    known.set(base.members, { signature, view })
    return view
  }

  async function findLocal(): Promise<Entry | undefined> {
    const entry = await home.stat([name])
    return entry?.kind === 'directory' ? entry : undefined
  }

  const isOther = (entry: Entry): boolean => entry.name !== name

  return {
    /** The user's own directory of that name. */
    findLocal,

    stat: async (mounts: MountsOfUser): Promise<Entry> =>
      folderEntry(name, mounts, await findLocal()),

    async *list(mounts: MountsOfUser): AsyncGenerator<readonly Entry[]> {
      yield mounts.list.map(mountEntry)
      if (!(await findLocal())) return
      for await (const batch of home.list([name])) {
        yield batch.filter((entry) => !mounts.find(entry.name))
      }
    },

    async view(mounts: MountsOfUser): Promise<DirectoryView | undefined> {
      const local = await findLocal()
      if (!local) {
        if (alone?.signature !== mounts.signature) {
          const members = mounts.list.map(mountEntry)
          const entry = folderEntry(name, mounts, undefined)
          alone = { signature: mounts.signature, view: { entry, members, version: nextVersion() } }
        }
        return alone.view
      }
      const base = await home.view?.([name])
      return (
        base &&
        unite(folders, base, mounts, () => ({
          entry: folderEntry(name, mounts, base.entry),
          members: [
            ...mounts.list.map(mountEntry),
            ...base.members.filter((entry) => !mounts.find(entry.name)),
          ],
        }))
      )
    },

    /** The home with the folder in it. */
    root: {
      async stat(): Promise<Entry | undefined> {
        const root = await home.stat([])
        return root && withFolder(root)
      },

      async *list(mounts: MountsOfUser): AsyncGenerator<readonly Entry[]> {
        yield [folderEntry(name, mounts, await findLocal())]
        for await (const batch of home.list([])) yield batch.filter(isOther)
      },

      async view(mounts: MountsOfUser): Promise<DirectoryView | undefined> {
        const base = await home.view?.([])
        return (
          base &&
          unite(roots, base, mounts, () => {
            const own = base.members.find((entry) => !isOther(entry))
            const local = own?.kind === 'directory' ? own : undefined
            return {
              entry: withFolder(base.entry),
              members: [folderEntry(name, mounts, local), ...base.members.filter(isOther)],
            }
          })
        )
      },
    },
  }
}
