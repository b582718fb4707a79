import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Microseconds; short, so that nobody waits long for the next slice. */
const periodUs = 10_000

/** Control groups, of the generation that is here: how one is given half a processor. */
const generations = [
  {
    root: '/sys/fs/cgroup',
    sign: 'cgroup.controllers',
    limits: { 'cpu.max': `${periodUs / 2} ${periodUs}` },
  },
  {
    root: '/sys/fs/cgroup/cpu',
    sign: 'tasks',
    limits: { 'cpu.cfs_period_us': String(periodUs), 'cpu.cfs_quota_us': String(periodUs / 2) },
  },
].filter(({ root, sign }) => existsSync(join(root, sign)))

/** Lets a process have half of a processor; false where we may not. `releaseHalf` drops the group. */
export function halve(pid: number): boolean {
  return generations.some(({ root, limits }) => {
    const group = groupOf(root, pid)
    try {
      mkdirSync(group)
      for (const [name, value] of Object.entries(limits)) writeFileSync(join(group, name), value)
      writeFileSync(join(group, 'cgroup.procs'), String(pid))
      return true
    } catch {
      releaseHalf(pid)
      return false
    }
  })
}

/** Drops the group of a process that has ended. */
export function releaseHalf(pid: number): void {
  for (const { root } of generations) {
    if (existsSync(groupOf(root, pid))) rmdirSync(groupOf(root, pid))
  }
}

const groupOf = (root: string, pid: number): string => join(root, `davmesh-bench-${pid}`)
