import type { LRUCache } from 'lru-cache'

/** Keeps a value that weighs `size` now: `set` alone forgets that what is there has grown. */
export function keepWeighed<Value extends object>(
  cache: LRUCache<string, Value>,
  key: string,
  value: Value,
  size: number,
): void {
  cache.delete(key)
  cache.set(key, value, { size })
}
