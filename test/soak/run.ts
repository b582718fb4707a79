import { setTimeout as sleep } from 'node:timers/promises'
import { chanceOf } from '../support/chance.ts'
import { choresOf, flap, shareAgain } from './chores.ts'
import { createLoad } from './load.ts'
import { progressOf, type SoakResult } from './report.ts'
import { sample, type Sample } from './samples.ts'
import { soakStage } from './stage.ts'

export interface SoakWish {
  readonly seconds: number
  readonly perSecond: number
  readonly seed: number
  tell(line: string): void
}

/** Robustness R20: everything at once, for as long as wanted, with the time going faster than it does. */
export async function runSoak({ seconds, perSecond, seed, tell }: SoakWish): Promise<SoakResult> {
  await using stage = await soakStage()
  const load = createLoad(stage, chanceOf(seed))
  const servers: Record<string, Sample[]> = {}
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const isOver = (): boolean => elapsed() >= seconds
  await stage.alice.put('work0.txt', 'x')

  const tick = setInterval(() => load.begin(), 1000 / perSecond)
  const chores = choresOf(stage)
  const beside = [flap(stage, isOver), shareAgain(stage, isOver), chores.run(isOver)]
  let told = 0
  while (!isOver()) {
    await sleep(1000)
    const tells = elapsed() - told >= 10
    if (tells) told = elapsed()
    for (const one of stage.servers) {
      const taken = sample(one, elapsed())
      if (taken === undefined) continue
      ;(servers[one.name] ??= []).push(taken)
      if (tells) tell(progressOf(elapsed(), one.name, taken))
    }
  }
  clearInterval(tick)
  await Promise.all(beside)
  await load.end()
  return { seconds, servers, tallies: load.tallies, chores: chores.done }
}
