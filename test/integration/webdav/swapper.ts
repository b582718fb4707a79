import { symlinkSync, unlinkSync } from 'node:fs'
import { Worker } from 'node:worker_threads'

/** Somebody with a shell, who makes of a directory a link to elsewhere and back, without a pause. */
export interface Swapper {
  /** How often so far. */
  count(): number
  /** Leaves the directory in its place. */
  stop(): Promise<void>
}

/** Runs beside the server and not between its steps, so it is a thread. */
const loop = `
  const { renameSync } = require('node:fs')
  const { workerData: { directory, away, link, state } } = require('node:worker_threads')
  const linger = () => {
    const until = performance.now() + Math.random() * 0.3
    while (performance.now() < until);
  }
  while (Atomics.load(state, 0) === 0) {
    linger()
    renameSync(directory, away)
    renameSync(link, directory)
    linger()
    renameSync(directory, link)
    renameSync(away, directory)
    Atomics.add(state, 1, 1)
  }
`

/** @param away where the directory and the link wait for their turn. */
export function startSwapper(directory: string, outside: string, away: string): Swapper {
  const link = `${away}.link`
  symlinkSync(outside, link)
  const state = new Int32Array(new SharedArrayBuffer(8))
  const worker = new Worker(loop, { eval: true, workerData: { directory, away, link, state } })
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  return {
    count: () => Atomics.load(state, 1),
    async stop() {
      Atomics.store(state, 0, 1)
      await exited
      unlinkSync(link)
    },
  }
}
