import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import { runCli } from '../../support/run-cli.ts'
import { soundness } from '../db/old-database.ts'
import {
  anyStep,
  emptyWorld,
  filesOf,
  marksOf,
  seenBy,
  type Chance,
  type World,
} from './kill-load.ts'
import { crashStage, type CrashStage } from './stage.ts'

/** One client with a folder of its own, who remembers what it was told. */
interface Client {
  readonly folder: string
  world: World
  /** What the server died of, or not yet: either it is done or it is not. */
  underWay: { readonly name: string; readonly after: World } | undefined
  acknowledged: number
}

export interface KillReport {
  readonly kills: number
  readonly acknowledged: number
  /** Changes that were under way when the server died, by how they ended. */
  readonly done: number
  readonly undone: number
}

/**
 * Kills the built server at random moments under load, and compares what is there after each
 * restart with what was acknowledged.
 *
 * @throws Error naming the first difference.
 */
export async function killAtRandom(wish: {
  readonly chance: Chance
  readonly kills: number
  /** No kill begins after so long. */
  readonly withinMs: number
  readonly clients?: number
}): Promise<KillReport> {
  const { chance } = wish
  await using stage = await crashStage({ files: { durability: 'normal' } })
  const clients = Array.from({ length: wish.clients ?? 4 }, (_, index): Client => {
    return { folder: `c${index}`, world: emptyWorld, underWay: undefined, acknowledged: 0 }
  })
  for (const { folder } of clients) await stage.fill(folder, filesOf(emptyWorld))
  const until = performance.now() + wish.withinMs
  const ends = { done: 0, undone: 0 }
  let kills = 0
  await stage.start()
  while (kills < wish.kills && performance.now() < until) {
    const working = clients.map((client) => work(stage, client, chance))
    await sleep(20 + chance(180))
    process.kill(stage.process().pid, 'SIGKILL')
    await Promise.all(working)
    await stage.process().ended
    kills += 1
    await stage.start()
    for (const client of clients) ends[await judge(stage, client)] += 1
  }
  await stage.stop()
  const database = join(stage.dataDir, 'davmesh.sqlite')
  const sound = JSON.stringify(soundness(database))
  if (sound !== '["ok",[]]') throw new Error(`the database: ${sound}`)
  const flags = ['db', 'check', '--config', stage.configFile, '--json']
  const { out, err } = await runCli(flags, { cwd: stage.dataDir })
  if (out.trim() !== '[]') throw new Error(`db check: ${out}${err}`)
  const acknowledged = clients.reduce((sum, client) => sum + client.acknowledged, 0)
  return { kills, acknowledged, ...ends }
}

async function work(stage: CrashStage, client: Client, chance: Chance): Promise<void> {
  const dav = stage.dav(client.folder)
  for (;;) {
    const step = anyStep(client.world, chance)
    client.underWay = step
    let status: number
    try {
      status = await step.send(dav, client.folder)
    } catch {
      return
    }
    if (status < 200 || status > 299) throw new Error(`${step.name}: ${status}`)
    client.world = step.after
    client.underWay = undefined
    client.acknowledged += 1
  }
}

/** Whether what was under way was done; what was acknowledged is there in either case. */
async function judge(stage: CrashStage, client: Client): Promise<'done' | 'undone'> {
  const files = stage.files(client.folder)
  const found = JSON.stringify(
    sorted({ files, ...(await seenBy(stage.dav(client.folder), files)) }),
  )
  const { underWay, world, folder } = client
  client.underWay = undefined
  if (found === expected(world)) return 'undone'
  if (underWay === undefined || found !== expected(underWay.after)) {
    const name = underWay?.name ?? 'nothing'
    throw new Error(
      `${folder}, ${name} under way: found ${short(found)}, not ${short(expected(world))}`,
    )
  }
  client.world = underWay.after
  return 'done'
}

const expected = (world: World): string =>
  JSON.stringify(sorted({ files: filesOf(world), marks: marksOf(world), isLocked: world.isLocked }))

const sorted = ({
  files,
  marks,
  isLocked,
}: Record<'files' | 'marks', object> & { isLocked: boolean }) => ({
  files: Object.entries(files).sort(byName),
  marks: Object.entries(marks).sort(byName),
  isLocked,
})

const byName = ([one]: [string, unknown], [other]: [string, unknown]): number =>
  one < other ? -1 : 1

/** Contents repeat a number; once is enough to read. */
const short = (text: string): string => text.replaceAll(/(\d+ )\1+/g, '$1…')
