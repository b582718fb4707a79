/** How slowly something may come; only the time in which we wait for it counts. */
export interface Pace {
  /** Longest silence. */
  readonly idleMs: number
  /** On average over each `windowMs` of waiting; 0: any. */
  readonly minBytesPerSecond: number
  readonly windowMs: number
}

export interface PacedOptions {
  readonly pace: Pace
  /** What the reader is told when it came too slowly. */
  readonly tooSlow: () => Error
  /** Told of every part before it is passed on, which waits for a promise. */
  readonly took?: (bytes: number) => Promise<void> | undefined
}

/**
 * The same bytes, as long as they come fast enough. While nobody asks for more, for a disk or another
 * server is slow, the source is not waited for and no time passes.
 */
export function paced(
  source: AsyncIterable<Uint8Array>,
  { pace, tooSlow, took }: PacedOptions,
): AsyncIterable<Uint8Array> {
  const { idleMs, minBytesPerSecond, windowMs } = pace
  return {
    [Symbol.asyncIterator]() {
      const iterator = source[Symbol.asyncIterator]()
      let expire: (() => void) | undefined
      let isSilent = false
      let waitedMs = 0
      let bytes = 0
      const idle = setTimeout(() => expire?.(), idleMs).unref()

      /** @throws when it was too little for the time. */
      function count(length: number, ms: number): void {
        waitedMs += ms
        bytes += length
        if (waitedMs < windowMs) return
        if (bytes * 1000 < minBytesPerSecond * waitedMs) throw tooSlow()
        waitedMs = 0
        bytes = 0
      }

      async function take(): Promise<IteratorResult<Uint8Array, undefined>> {
        const since = performance.now()
        const result = await iterator.next()
        expire = undefined
        if (result.done === true) return { done: true, value: undefined }
        count(result.value.length, performance.now() - since)
        const checked = took?.(result.value.length)
        if (checked) await checked
        return result
      }

      return {
        next: () =>
          new Promise((resolve, reject) => {
            const fail: (reason: unknown) => void = reject
            expire = () => {
              isSilent = true
              reject(tooSlow())
            }
            idle.refresh()
            take().then(
              (result) => {
                if (result.done === true) clearTimeout(idle)
                resolve(result)
              },
              (error: unknown) => {
                clearTimeout(idle)
                fail(error)
              },
            )
          }),
        async return() {
          clearTimeout(idle)
          // What is silent would let us wait for its end as well.
          const ended = iterator.return?.()
          if (!isSilent) await ended
          return { done: true, value: undefined }
        },
      }
    },
  }
}
