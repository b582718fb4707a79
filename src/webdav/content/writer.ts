import type { ServerResponse } from 'node:http'

/** A client that left, in the words of node:stream. */
const gone = () =>
  Object.assign(new Error('the client went away'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })

/**
 * Writes that end when the kernel has taken every byte, so that the buffer may be used again, and
 * fail when the client goes away. Node by itself forgets the callback of what is written in between
 * the end of a connection and its `close`.
 */
export function createWriter(res: ServerResponse): (part: Uint8Array) => Promise<void> {
  const waiting = new Set<() => void>()
  res.once('close', () => {
    for (const leave of waiting) leave()
  })
  return (part) =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(leave)
        if (res.destroyed) reject(gone())
        else resolve()
      }
      waiting.add(leave)
      if (res.destroyed) leave()
      else res.write(part, leave)
    })
}
