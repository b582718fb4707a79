import type { ServerResponse } from 'node:http'
import { clientGone } from '../reply.ts'

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
        if (res.destroyed) reject(clientGone())
        else resolve()
      }
      waiting.add(leave)
      if (res.destroyed) leave()
      else res.write(part, leave)
    })
}
