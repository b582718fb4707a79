import { existsSync, readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { crashStage, type CrashStage, type Dav } from '../crash/stage.ts'

/** A server of several processes over one data directory. */
export const workersStage = (
  workers = 2,
  settings: Record<string, unknown> = {},
): Promise<CrashStage> => crashStage({ workers, ...settings })

/** The processes that a process has started. */
export function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`
  const text = existsSync(path) ? readFileSync(path, 'utf8').trim() : ''
  return text === '' ? [] : text.split(' ').map(Number)
}

/** Waits for what takes as long as it takes. */
export async function until<Value>(
  find: () => Value | undefined | false | Promise<Value | undefined | false>,
  what: string,
  forMs = 20_000,
): Promise<Value> {
  const end = performance.now() + forMs
  for (;;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`)
    await sleep(20)
  }
}

/** A client with one connection, which one worker answers. */
export interface Lane extends Disposable {
  readonly worker: number
  readonly dav: Dav
}

let laneCount = 0

/** One more connection, and who answers it, as the log tells. */
export async function openLane(stage: CrashStage, folder?: string): Promise<Lane> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  laneCount += 1
  const name = `lane-${laneCount}`
  await stage.dav(undefined, agent).get(name)
  const line = await until(
    () =>
      stage
        .process()
        .err()
        .split('\n')
        .find((one) => one.endsWith('}') && one.includes(`/${name}"`)),
    'the log line of a request',
  )
  const { worker } = JSON.parse(line) as { worker: number }
  return { worker, dav: stage.dav(folder, agent), [Symbol.dispose]: () => agent.destroy() }
}

/** A connection to each worker. */
export async function openLanes(stage: CrashStage, folder?: string): Promise<Lane[]> {
  const workers = childrenOf(stage.process().pid)
  const lanes: Lane[] = []
  while (lanes.length < workers.length) {
    const lane = await openLane(stage, folder)
    if (lanes.some(({ worker }) => worker === lane.worker)) lane[Symbol.dispose]()
    else lanes.push(lane)
  }
  return lanes
}
