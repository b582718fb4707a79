import { LRUCache } from 'lru-cache'
import type { Clock } from '../core/index.ts'
import type { SeenRoot } from '../db/index.ts'
import type { Mount } from '../shares/index.ts'

/** A directory's tag and time change with all that happens in it; nobody needs these at once. */
const directoryEveryMs = 60_000

const maxMounts = 10_000

const isSame = (one: SeenRoot, other: SeenRoot): boolean =>
  one.kind === other.kind &&
  one.size === other.size &&
  one.modifiedAt === other.modifiedAt &&
  one.etag === other.etag

/**
 * Decides what of the roots of mounts is worth writing down: the folder of shares is listed from
 * there, and every commit makes every process look again.
 */
export function createSightings(
  clock: Clock,
  write: (mount: Mount, seen: SeenRoot) => void,
): (mount: Mount, seen: SeenRoot) => void {
  const known = new LRUCache<string, { readonly seen: SeenRoot; readonly at: number }>({
    max: maxMounts,
  })
  return (mount, seen) => {
    const before = known.get(mount.id)
    const last = before?.seen ?? mount.seen
    if (last && isSame(last, seen)) return
    const now = clock.now()
    const isSoon = before !== undefined && now - before.at < directoryEveryMs
    if (isSoon && seen.kind === 'directory' && last?.kind === 'directory') return
    known.set(mount.id, { seen, at: now })
    write(mount, seen)
  }
}
