import type { IncomingMessage } from 'node:http'
import { clientGone } from '../reply.ts'

const done: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined }

/** How many parts may wait until somebody asks for them. */
const maxWaiting = 2

/**
 * The parts of a body as they come, for what is too large to be joined: node's own iterator joins all
 * that has come meanwhile, and leaves the collector a copy of each byte. Giving up leaves the
 * connection to answer on.
 */
export function partsOf(req: IncomingMessage): AsyncIterable<Uint8Array> {
  const parts: Uint8Array[] = []
  let isListening = false
  let isOver = false
  let wake = (): void => undefined

  function take(part: Uint8Array): void {
    parts.push(part)
    if (parts.length === maxWaiting) req.pause()
    wake()
  }
  const look = (): void => wake()

  function listen(): void {
    isListening = true
    req.on('data', take).on('end', look).on('error', look).on('close', look)
  }
  function leave(): void {
    isOver = true
    req.off('data', take).off('end', look).off('error', look).off('close', look)
    if (!req.readableEnded) req.pause()
    wake()
  }

  async function next(): Promise<IteratorResult<Uint8Array, undefined>> {
    for (;;) {
      if (isOver) return done
      const part = parts.shift()
      if (part) return { value: part }
      if (req.readableEnded) return done
      if (req.destroyed) throw req.errored ?? clientGone()
      await new Promise<void>((resolve) => {
        wake = resolve
        if (!isListening) listen()
        else if (req.isPaused()) req.resume()
      })
    }
  }

  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return() {
        leave()
        return Promise.resolve(done)
      },
    }),
  }
}
