/** Files of the smallest kind, in memory, for a WebDAV server that shares no code with ours. */
import { createHash } from 'node:crypto'

export interface Kept {
  /** Undefined for a directory. */
  content: Buffer | undefined
  modifiedAt: number
  etag: string
  /** Dead properties: each element as it came, by its name in the form `{namespace}local`. */
  readonly properties: Map<string, string>
}

export type DavStore = ReturnType<typeof davStore>

const parentOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf('/'), 0))
const isWithin = (path: string, folder: string): boolean =>
  folder === '' || path === folder || path.startsWith(`${folder}/`)

/** Paths are decoded, without slashes at their ends; `''` is the root, a folder unless it is given bytes. */
export function davStore(root?: string | Uint8Array) {
  const entries = new Map<string, Kept>()
  let version = 0

  function set(path: string, content: Buffer | undefined): Kept {
    version += 1
    const hash = content && createHash('sha256').update(content).digest('hex').slice(0, 16)
    const properties = entries.get(path)?.properties ?? new Map<string, string>()
    // Whole seconds, as HTTP dates have them.
    const modifiedAt = Date.UTC(2026, 1, 1) + version * 1000
    const kept = { content, modifiedAt, etag: `"${hash ?? `d${version}`}"`, properties }
    entries.set(path, kept)
    return kept
  }
  set('', root === undefined ? undefined : Buffer.from(root))

  /** A directory's tag differs whenever its members do. */
  function touchParent(path: string): void {
    const parent = entries.get(parentOf(path))
    version += 1
    if (parent && path !== '') parent.etag = `"d${version}"`
  }

  return {
    get: (path: string): Kept | undefined => entries.get(path),
    hasParent: (path: string): boolean => {
      const parent = entries.get(parentOf(path))
      return path === '' || (parent !== undefined && parent.content === undefined)
    },
    /** The paths directly in a folder. */
    members: (path: string): string[] =>
      [...entries.keys()].filter((one) => one !== '' && parentOf(one) === path),
    /** Everything that there is, folders with a slash, in order. */
    list: (): string[] =>
      [...entries]
        .filter(([path]) => path !== '')
        .map(([path, { content }]) => (content === undefined ? `${path}/` : path))
        .sort(),
    /** What a file says, as text. */
    read: (path: string): string | undefined => entries.get(path)?.content?.toString(),
    write(path: string, content: string | Uint8Array): void {
      set(path, Buffer.from(content))
      touchParent(path)
    },
    mkdir(path: string): void {
      set(path, undefined)
      touchParent(path)
    },
    remove(path: string): void {
      for (const one of [...entries.keys()]) if (isWithin(one, path)) entries.delete(one)
      touchParent(path)
    },
    /** What is at the target goes first. */
    place(from: string, to: string, move: boolean): void {
      const taken = [...entries].filter(([one]) => isWithin(one, from))
      for (const one of [...entries.keys()]) if (isWithin(one, to)) entries.delete(one)
      for (const [one, kept] of taken) {
        entries.set(to + one.slice(from.length), { ...kept, properties: new Map(kept.properties) })
        if (move) entries.delete(one)
      }
      touchParent(from)
      touchParent(to)
    },
  }
}
