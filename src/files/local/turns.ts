/** Lets one at a time through per key, first come first served. */
export interface Turns {
  /** Runs `work` when every key is free; keys are taken in one order, so nobody waits in a circle. */
  take<Result>(keys: readonly string[], work: () => Promise<Result>): Promise<Result>
}

export function createTurns(): Turns {
  const tails = new Map<string, Promise<void>>()

  async function enter(key: string): Promise<() => void> {
    const before = tails.get(key)
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    tails.set(key, gate)
    await before
    return () => {
      if (tails.get(key) === gate) tails.delete(key)
      open()
    }
  }

  return {
    async take(keys, work) {
      const leaves: (() => void)[] = []
      for (const key of [...new Set(keys)].sort()) leaves.push(await enter(key))
      try {
        return await work()
      } finally {
        for (const leave of leaves) leave()
      }
    },
  }
}
