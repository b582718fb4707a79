import type { OnReadOpts, Socket } from 'node:net'

/** What a connection usually reads at once. */
const readBytes = 64 * 1024

/** What is read at once past the parser; one is filled while the other is written. */
const largeBytes = 1024 * 1024
const largeCount = 2

/** Takes the bytes of a connection past whoever parses its HTTP. */
export interface Diversion {
  /** What has come; the buffer is used again once it was given back. */
  next(): Uint8Array | undefined
  giveBack(part: Uint8Array): void
  /** Whether nothing comes because every buffer is still in use. */
  isStopped(): boolean
  /** Called whenever `next` may have something. */
  onMore: () => void
}

/** A connection's reading end, while its bytes are still in one buffer of ours. */
export interface Tap {
  readonly onread: OnReadOpts
  attach(socket: Socket): void
}

const diversions = new WeakMap<Socket, () => Diversion>()

/** Whether, and how, what a connection reads from now on can go past its parser: not within TLS. */
export const diversionOf = (socket: Socket): (() => Diversion) | undefined => diversions.get(socket)

/**
 * Reads into buffers of our own: a parser gets copies as small as what came, and a file its bytes
 * without any copy, in buffers that are used over and over.
 */
export function createTap(): Tap {
  const usual = Buffer.allocUnsafeSlow(readBytes)
  let socket: Socket | undefined
  let free: Buffer[] | undefined
  const parts: Uint8Array[] = []

  const diversion: Diversion = {
    next: () => parts.shift(),
    giveBack({ buffer }) {
      if (buffer.byteLength !== largeBytes) return
      free?.push(Buffer.from(buffer))
      if (free?.length === 1) socket?.resume()
      diversion.onMore()
    },
    isStopped: () => free?.length === 0,
    onMore: () => undefined,
  }

  return {
    onread: {
      // Asked for after every read, before the next one.
      buffer: () => free?.pop() ?? usual,
      callback(size, buffer) {
        const part = buffer.subarray(0, size)
        if (!free) return socket?.push(Buffer.from(part)) ?? false
        parts.push(buffer === usual ? Buffer.from(part) : part)
        diversion.onMore()
        return free.length > 0
      },
    },
    attach(given) {
      socket = given
      diversions.set(given, () => {
        free = Array.from({ length: largeCount }, () => Buffer.allocUnsafeSlow(largeBytes))
        given.resume()
        return diversion
      })
    },
  }
}
