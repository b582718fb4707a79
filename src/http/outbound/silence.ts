import { getDefaultHighWaterMark, type Readable } from 'node:stream'
import { freeMemory } from '../../core/index.ts'

/** Ends an exchange in which a side neither takes nor gives anything for too long. */
export interface Silence {
  readonly signal: AbortSignal
  /** From now on it is the other side's turn. */
  wait(): void
  /** It is ours. */
  stop(): void
  /** There is nothing left to wait for. */
  end(): void
}

/** @param ours how long it may be our turn; for ever if absent. */
export function watchSilence(
  limitMs: number,
  reason: () => Error,
  ours?: { readonly limitMs: number; readonly reason: () => Error },
): Silence {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let isOver = false
  function begin(turn: typeof ours): void {
    clearTimeout(timer)
    if (isOver || !turn) return
    timer = setTimeout(() => abort.abort(turn.reason()), turn.limitMs)
  }
  return {
    signal: abort.signal,
    wait: () => begin({ limitMs, reason }),
    stop: () => begin(ours),
    end() {
      isOver = true
      clearTimeout(timer)
    },
  }
}

/** So much has to be taken within the limit, however large the chunks of the source are. */
const stepBytes = 64 * 1024

/**
 * A body as it is taken. Who takes a part asks for the next one once the socket has room for it;
 * until then it is the other side's turn, and while the source has nothing it is not.
 */
export async function* watched(
  body: Readable,
  silence: Silence,
  disposable: boolean,
): AsyncGenerator<Uint8Array> {
  silence.stop()
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    for (let at = 0; at < chunk.length; at += stepBytes) {
      silence.wait()
      yield chunk.length <= stepBytes ? chunk : chunk.subarray(at, at + stepBytes)
      silence.stop()
    }
    if (disposable && isSent(chunk)) freeMemory(chunk)
  }
  silence.wait()
}

/** A socket has room again after so much only when it has nothing left; less may still wait in it. */
const isSent = ({ length }: Uint8Array): boolean =>
  (length % stepBytes || stepBytes) >= getDefaultHighWaterMark(false)
