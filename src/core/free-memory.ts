import { MessageChannel } from 'node:worker_threads'

const { port1: nowhere } = new MessageChannel()
nowhere.close()

/** What is less is quickly collected, and not worth the call. */
const minBytes = 16 * 1024

/**
 * Frees the memory of bytes that nobody needs any more; they are empty from then on. A part of a
 * larger buffer stays as it is.
 *
 * What is left to the collector counts as memory outside its heap, and of that it lets so little come
 * together that it marked the whole heap every 25 MiB of an upload: 300 instead of 850 MB/s.
 */
export function freeMemory(bytes: Uint8Array): void {
  const { buffer, byteLength } = bytes
  if (byteLength < minBytes || byteLength !== buffer.byteLength) return
  // A closed port delivers nothing, but what it was to transfer is gone.
  nowhere.postMessage(undefined, [buffer as ArrayBuffer])
}
