import type { Bench, RunningServer, RunOptions, Sample, Work } from './contract.ts'
import { resetPeak, usageOf } from './processes.ts'
import type { Results } from './report.ts'

/** Seconds; what has served for less is not yet what will serve for months. */
const warmUpSeconds = 5

export const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Every work on every server in turn, so that a slow minute hurts all alike. */
export async function runRounds(
  works: readonly Work[],
  servers: readonly RunningServer[],
  bench: Bench,
  options: { readonly rounds: number; readonly seconds: number },
): Promise<Results> {
  const results = new Map(
    works.map(({ name }) => [name, new Map(servers.map((one) => [one.name, [] as Sample[]]))]),
  )
  // Round 0 warms everybody up and is thrown away.
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const work of works) {
      for (const server of startingWith(round % servers.length, servers)) {
        await work.warm?.(bench)
        const seconds = round === 0 ? warmUpSeconds : options.seconds
        const sample = await measure(work, server, bench, { seconds, round })
        say(`round ${round}  ${work.name}  ${server.name}  ${sample.value.toFixed(1)} ${work.unit}`)
        if (round > 0) results.get(work.name)?.get(server.name)?.push(sample)
      }
    }
  }
  return results
}

/** Somebody else comes first in each round: who follows finds things warmer. */
const startingWith = <T>(index: number, all: readonly T[]): T[] => [
  ...all.slice(index),
  ...all.slice(0, index),
]

async function measure(
  work: Work,
  server: RunningServer,
  bench: Bench,
  options: RunOptions,
): Promise<Sample> {
  resetPeak(server.pid)
  const before = usageOf(server.pid)
  const { requests, value, failures, p99Ms } = await work.run(server, bench, options)
  const after = usageOf(server.pid)
  return {
    value,
    failures,
    ...(p99Ms !== undefined && { p99Ms }),
    ...(requests > 0 && { cpuMsPerRequest: (after.cpuMs - before.cpuMs) / requests }),
    peakRssMib: after.peakRssMib,
    grownRssMib: after.peakRssMib - before.rssMib,
  }
}
