import { LRUCache } from 'lru-cache'
import type { Database } from './open.ts'

/**
 * Remembers what `read` found under each key, exactly as long as nobody, in any process, commits
 * anything.
 *
 * @param max how many keys; the least recently used are forgotten first.
 */
export function remember<Value>(
  db: Database,
  max: number,
  read: (key: string) => Promise<Value>,
): (key: string) => Value | Promise<Value> {
  const known = new LRUCache<string, { readonly value: Value }>({ max })
  let version = db.version()
  async function readNow(key: string, current: number): Promise<Value> {
    const value = await read(key)
    // What was read after somebody's commit is not of this version.
    if (version === current) known.set(key, { value })
    return value
  }

  return (key) => {
    const current = db.version()
    if (current !== version) {
      known.clear()
      version = current
    }
    const kept = known.get(key)
    return kept ? kept.value : readNow(key, current)
  }
}
