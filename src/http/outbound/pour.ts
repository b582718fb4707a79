import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { Silence } from './silence.ts'
import { diversionOf, type Diversion } from './tap.ts'

/** Takes a part; the buffer is used again when the promise is fulfilled. */
export type Take = (part: Uint8Array) => Promise<void>

/** Gives the whole body to `take`, a part after another, several of them at a time. */
export type Pour = (take: Take) => Promise<void>

export interface Source {
  readonly body: Readable
  readonly socket: Socket
  /** By `Content-Length`. */
  readonly length: number
  readonly silence: Silence
  readonly controller: Pick<Dispatcher.DispatchController, 'paused'>
}

/** Who is not there for longer takes no more than this, and needs no large buffers. */
const provenBytes = 1024 * 1024

/** Below this a connection that can be used again is worth more. */
const minBytes = 8 * 1024 * 1024

/** Downloads with large buffers, 2 MiB each; the others are as good as a stream. */
const maxLarge = 16
let large = 0

/**
 * A large body past the parser of HTTP: the rest of it is known to be content, byte for byte, so the
 * buffers that the kernel filled can be written on as they are. It costs a quarter of what a stream
 * does; and the connection, which nobody can use after it. `undefined` where there is no such way.
 */
export function pourBody(source: Source): Pour | undefined {
  const divert = diversionOf(source.socket)
  if (!divert || !(source.length >= minBytes)) return undefined
  return async (take) => {
    const { body, length } = source
    // It is waited for in other ways.
    body.on('error', () => undefined)
    let isLarge = false
    try {
      const rest = await takeUntil(source, take, length, provenBytes)
      if (rest === 0) return
      isLarge = large < maxLarge
      if (isLarge) {
        large += 1
        const diversion = divert()
        await takeRest(source, take, await takeRead(source, take, rest), diversion)
      } else await takeUntil(source, take, rest, rest)
    } finally {
      if (isLarge) large -= 1
      source.silence.end()
      body.destroy()
    }
  }
}

/** @returns how much is left. */
async function takeUntil(
  source: Source,
  take: Take,
  length: number,
  wanted: number,
): Promise<number> {
  let left = length
  while (left > 0 && length - left < wanted) {
    const chunk = source.body.read() as Buffer | null
    if (chunk) {
      await take(chunk)
      left -= chunk.length
    } else {
      refuseBroken(source.body)
      await readable(source.body)
    }
  }
  return left
}

/** What the parser has read already, or has still to read from before the diversion. */
async function takeRead(source: Source, take: Take, length: number): Promise<number> {
  const { body, socket, controller, silence } = source
  let left = length
  for (;;) {
    const chunk = body.read() as Buffer | null
    if (chunk) {
      silence.stop()
      await take(chunk)
      left -= chunk.length
    } else if (socket.readableLength === 0 && !controller.paused) return left
    else {
      refuseBroken(body)
      await turn()
    }
  }
}

async function takeRest(
  { body, silence }: Source,
  take: Take,
  length: number,
  diversion: Diversion,
): Promise<void> {
  let left = length
  let failure: unknown
  let wake = (): void => undefined
  const more = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  diversion.onMore = () => wake()
  body.once('close', () => wake())
  let last: Promise<void> = Promise.resolve()
  while (left > 0) {
    const part = diversion.next()
    if (part) {
      silence.stop()
      left -= part.length
      if (left < 0) throw new Error('more came than was promised')
      last = take(part).then(() => diversion.giveBack(part))
      last.catch((error: unknown) => {
        failure ??= error
        wake()
      })
      continue
    }
    if (failure !== undefined) throw failure as Error
    refuseBroken(body)
    if (diversion.isStopped()) silence.stop()
    else silence.wait()
    await more()
  }
  await last
}

function refuseBroken(body: Readable): void {
  if (body.errored) throw body.errored
  if (body.destroyed || body.readableEnded) throw new Error('the answer is over')
}

const readable = (body: Readable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      body.off('readable', done).off('close', done)
      resolve()
    }
    body.on('readable', done).on('close', done)
  })
