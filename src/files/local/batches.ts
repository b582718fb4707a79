import { FileError } from '../errors.ts'

const batchBytes = 512 * 1024
const batchChunks = 256

/** A part of a body. */
export interface Batch {
  readonly chunks: readonly Uint8Array[]
  readonly length: number
  readonly isLast: boolean
}

export interface Batches {
  next(): Promise<Batch>
  /** Must be called by who does not read to the end. */
  giveUp(): Promise<void>
}

/** A body in parts that are worth a system call: 411 MB/s chunk by chunk, 1,300 in batches. */
export function readBatches(body: AsyncIterable<Uint8Array>, maxBytes: number): Batches {
  const iterator = body[Symbol.asyncIterator]()
  let total = 0
  return {
    async next() {
      const chunks: Uint8Array[] = []
      let length = 0
      while (length < batchBytes && chunks.length < batchChunks) {
        const result = await iterator.next()
        if (result.done === true) return { chunks, length, isLast: true }
        const chunk = result.value
        total += chunk.length
        if (total > maxBytes) throw new FileError('too_large')
        chunks.push(chunk)
        length += chunk.length
      }
      return { chunks, length, isLast: false }
    },
    async giveUp() {
      await iterator.return?.()
    },
  }
}
