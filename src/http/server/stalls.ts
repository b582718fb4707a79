import type { Socket } from 'node:net'

export interface StallWatch {
  /** Looks at a socket with an answer under way, and cuts one that has taken nothing for too long. */
  look(socket: Socket): void
}

interface Seen {
  readonly taken: number
  readonly at: number
}

/**
 * Who does not read. What a kernel has taken counts as read, and while there is nothing to be written
 * it is not the client's turn.
 */
export function createStallWatch(stalledMs: number): StallWatch {
  const seen = new WeakMap<Socket, Seen>()
  return {
    look(socket) {
      const { writableLength } = socket
      if (writableLength === 0) {
        seen.delete(socket)
        return
      }
      const now = performance.now()
      const taken = socket.bytesWritten - writableLength
      const before = seen.get(socket)
      if (before?.taken !== taken) seen.set(socket, { taken, at: now })
      else if (now - before.at >= stalledMs) socket.destroy()
    },
  }
}
