/** Tells commits apart. */
export interface CommitCounter {
  /** Another number than before whenever anybody, in any process, has committed something. */
  current(): number
  /** Told of the commits of this process, which are seen at once. */
  committed(): void
}

/**
 * Reads the counter once in a turn of the event loop: the requests that a turn answers had mostly
 * come before it was read. What another process commits during a turn is seen in the next.
 */
export function countCommits(read: () => number): CommitCounter {
  let known: number | undefined
  const forget = (): void => {
    known = undefined
  }
  return {
    current() {
      if (known === undefined) {
        known = read()
        setImmediate(forget)
      }
      return known
    },
    committed: forget,
  }
}
