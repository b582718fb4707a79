import { readdir, realpath } from 'node:fs/promises'
import { discard } from './disk.ts'
import { lookAt } from './entry.ts'
import { homeOf, putBack } from './put-back.ts'
import { createTurns, type Turns } from './turns.ts'

export interface RepairOptions {
  /**
   * Leave temporaries that changed at or after this instant (epoch milliseconds): they may belong
   * to an upload that is still running. Absent at start-up, when nothing runs.
   */
  readonly staleBefore?: number
  /** Leave these whatever their age: this process is at them. */
  readonly isLive?: (name: string) => boolean
  /** Whose turn it is at what is put back, where others write meanwhile. */
  readonly turns?: Turns
  /** Ends the walk; what is found by then has been repaired. */
  readonly signal?: AbortSignal
}

export interface Repaired {
  /** What had been set aside and was put back. */
  readonly restored: number
  /** Temporaries removed. */
  readonly removed: number
}

const temporary = /^\.davmesh-(put|copy|swap|trash)-[A-Za-z0-9]+$/

/**
 * Finishes what a crash interrupted: puts back what was set aside and not replaced, and removes
 * every other temporary. Safe to run again at any time.
 */
export async function repairLocalTree(
  root: string,
  options: RepairOptions = {},
): Promise<Repaired> {
  const count = { restored: 0, removed: 0 }
  const { turns = createTurns() } = options
  // Turns are taken by the names that things really have; without a root there is nothing.
  const base = await realpath(root).catch(() => root)
  for await (const { path, purpose } of findTemporaries(base, options)) {
    const home = purpose === 'swap' ? await homeOf(path) : undefined
    if (home === null) continue
    if (home === undefined) await discard(path)
    else if (await turns.take([home], () => putBack(path, home))) count.restored += 1
    count.removed += 1
  }
  return count
}

/** What a crash left in a tree. */
export async function* findTemporaries(
  root: string,
  options: RepairOptions = {},
): AsyncGenerator<{ readonly path: string; readonly purpose: string }> {
  const waiting = [root]
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    if (options.signal?.aborted) return
    // A directory that vanished, or that we may not read, holds nothing of ours to repair.
    const members = await readdir(directory, { withFileTypes: true }).catch(() => [])
    for (const member of members) {
      const path = `${directory}/${member.name}`
      const purpose = temporary.exec(member.name)?.[1]
      if (purpose === undefined) {
        if (member.isDirectory()) waiting.push(path)
      } else if (!options.isLive?.(member.name) && (await isStale(path, options.staleBefore))) {
        yield { path, purpose }
      }
    }
  }
}

async function isStale(path: string, staleBefore?: number): Promise<boolean> {
  if (staleBefore === undefined) return true
  const stats = await lookAt(path)
  return stats !== undefined && stats.mtimeMs < staleBefore
}
