/** Passwords that are being checked slowly, counted by key. It holds what is under way, no more. */
export interface Guesses {
  countOf(key: string): number
  begin(keys: readonly string[]): void
  /** @param isOver false when nothing was checked, so that nobody has to look again. */
  end(keys: readonly string[], isOver: boolean): void
  /** Settles when one of these is over. */
  ended(keys: readonly string[]): Promise<void>
}

export function createGuesses(): Guesses {
  const counts = new Map<string, number>()
  const waiting = new Map<string, Set<() => void>>()

  function wait(key: string, wake: () => void): void {
    const all = waiting.get(key) ?? new Set()
    waiting.set(key, all.add(wake))
  }

  return {
    countOf: (key) => counts.get(key) ?? 0,
    begin(keys) {
      for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    end(keys, isOver) {
      for (const key of keys) {
        const left = (counts.get(key) ?? 0) - 1
        if (left > 0) counts.set(key, left)
        else counts.delete(key)
      }
      if (!isOver) return
      for (const key of keys) {
        const woken = waiting.get(key)
        waiting.delete(key)
        for (const wake of woken ?? []) wake()
      }
    },
    async ended(keys) {
      let wake = (): void => undefined
      await new Promise<void>((resolve) => {
        wake = resolve
        for (const key of keys) wait(key, wake)
      })
      for (const key of keys) {
        const others = waiting.get(key)
        others?.delete(wake)
        if (others?.size === 0) waiting.delete(key)
      }
    },
  }
}
