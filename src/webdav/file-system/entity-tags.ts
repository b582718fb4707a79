import { createHash } from 'node:crypto'
import { newId } from '../../core/index.ts'
import type { TreePath } from '../../files/index.ts'

/** What a file system says of one version of a resource; alone too weak to tell two apart. */
export interface Hints {
  readonly etag: string
  readonly size: number
  readonly modifiedAt: number
}

/** Gives versions names of their own, whatever the clock of the file system can tell apart. */
export interface EntityTags {
  of(path: TreePath, hints: Hints, kind: 'file' | 'directory'): string
  /**
   * Lets `work` put something else at these paths, or nothing. Until it is done nobody can say
   * whether old or new is there, so no two tags are the same.
   */
  changing<Result>(paths: readonly TreePath[], work: () => Promise<Result>): Promise<Result>
}

const maxMarks = 100_000

/**
 * What changes through us gets a mark, which counts for everything below as well. Marks are in
 * memory, so every tag begins with an era that ends with the process, or when they are too many.
 */
export function createEntityTags(): EntityTags {
  let era = newId()
  let count = 0
  const marks = new Map<string, number>()
  const restless = new Map<string, number>()

  function mark(key: string): void {
    if (marks.size >= maxMarks) {
      marks.clear()
      era = newId()
    }
    marks.set(key, ++count)
  }

  function hold(key: string, change: 1 | -1): void {
    const holds = (restless.get(key) ?? 0) + change
    if (holds === 0) restless.delete(key)
    else restless.set(key, holds)
  }

  return {
    of(path, { etag, size, modifiedAt }, kind) {
      const above = path.map((_, depth) => {
        const key = keyOf(path.slice(0, depth + 1))
        return restless.has(key) ? ++count : (marks.get(key) ?? 0)
      })
      const members = kind === 'directory' ? marks.get(membersKeyOf(path)) : undefined
      const text = JSON.stringify([era, etag, size, modifiedAt, above, members])
      return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
    },
    async changing(paths, work) {
      for (const path of paths) hold(keyOf(path), 1)
      try {
        return await work()
      } finally {
        // Even a failure may have changed what is there.
        for (const path of paths) {
          mark(keyOf(path))
          mark(membersKeyOf(path.slice(0, -1)))
          hold(keyOf(path), -1)
        }
      }
    },
  }
}

const keyOf = (path: TreePath): string => `/${path.join('/')}`

/** No name ends in a slash. */
const membersKeyOf = (path: TreePath): string => `${keyOf(path)}/`
