import { readdir, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isSegment } from '../tree-path.ts'
import { discard } from './disk.ts'
import { lookAt } from './entry.ts'

export interface RepairOptions {
  /**
   * Leave temporaries that changed at or after this instant (epoch milliseconds): they may belong
   * to an upload that is still running. Absent at start-up, when nothing runs.
   */
  readonly staleBefore?: number
  /** Leave these whatever their age: this process is at them. */
  readonly isLive?: (name: string) => boolean
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
  for await (const { path, purpose } of findTemporaries(root, options)) {
    if (purpose === 'swap' && (await putBack(path))) count.restored += 1
    await discard(path)
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

/** What is in a swap directory belongs beside it, unless its replacement got there. */
export async function putBack(aside: string): Promise<boolean> {
  const [name, ...others] = await readdir(aside).catch(() => [])
  if (name === undefined || others.length > 0 || !isSegment(name)) return false
  const home = `${dirname(aside)}/${name}`
  if ((await lookAt(home)) !== undefined) return false
  await rename(`${aside}/${name}`, home)
  return true
}
