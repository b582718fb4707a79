import type { Socket } from 'node:net'

const told = Symbol('told')

interface Told extends Socket {
  [told]?: { received: number; sent: number } | undefined
}

/** The bytes that came and went on a connection since this was last asked. */
export function takeTraffic(socket: Socket): { received: number; sent: number } {
  const before = ((socket as Told)[told] ??= { received: 0, sent: 0 })
  const { bytesRead, bytesWritten } = socket
  const traffic = { received: bytesRead - before.received, sent: bytesWritten - before.sent }
  before.received = bytesRead
  before.sent = bytesWritten
  return traffic
}
