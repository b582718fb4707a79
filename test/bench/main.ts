/**
 * `npm run bench [-- --json] [--rounds N] [--seconds S] [--connections C] [--only core|relay|workers]`:
 * how fast, beside bare Node; what a mount costs, beside its sender; what a second worker is worth.
 */
import { parseArgs } from 'node:util'
import { rmSync } from 'node:fs'
import { startDavmesh } from '../interop/support/davmesh.ts'
import { newFolder } from '../interop/support/tools.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { prepareCases, type Case, type Cases } from './cases.ts'
import { findGenerator } from './load.ts'
import { cpuSecondsOf, peakRssOf, startFloor } from './process.ts'
import { measureRelay } from './relay.ts'
import { writeRelay } from './relay-report.ts'
import { measureWorkers, writeWorkers } from './workers.ts'
import { describeMachine, summarise, writeTable, type Report, type Sample } from './report.ts'

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '8' },
    only: { type: 'string' },
  },
})
if (![undefined, 'core', 'relay', 'workers'].includes(values.only)) {
  throw new Error('--only core, relay or workers')
}
const rounds = atLeastOne(values.rounds)
const seconds = atLeastOne(values.seconds)
const connections = atLeastOne(values.connections)

function atLeastOne(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1) return number
  throw new Error(`"${text}" must be a whole number, 1 or more`)
}

async function measure({ pid, measure }: Case, forSeconds: number): Promise<Sample> {
  const before = pid === undefined ? process.cpuUsage() : cpuSecondsOf(pid)
  const measured = await measure(forSeconds)
  return { ...measured, cpuMicros: cpuMicrosSince(before, pid, measured.count) }
}

function cpuMicrosSince(
  before: number | NodeJS.CpuUsage | undefined,
  pid: number | undefined,
  count: number,
): number | undefined {
  if (typeof before === 'object') {
    const { user, system } = process.cpuUsage(before)
    return (user + system) / count
  }
  const after = pid === undefined ? undefined : cpuSecondsOf(pid)
  return before === undefined || after === undefined ? undefined : ((after - before) * 1e6) / count
}

/** Every case once in each round, there and back, so that a slow minute hurts all alike. */
async function runRounds({ all }: Cases): Promise<Map<Case, Sample[]>> {
  const samples = new Map<Case, Sample[]>(all.map((one) => [one, []]))
  for (const one of all) await measure(one, 1)
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      samples.get(one)?.push(await measure(one, seconds))
    }
  }
  return samples
}

async function measureCore(): Promise<Report> {
  const folder = newFolder()
  const davmesh = await startDavmesh({ limits: { token: { exchanges: 1_000_000_000 } } })
  const peer = await independentPeer()
  const floor = await startFloor()
  try {
    const generator = findGenerator(folder)
    const cases = await prepareCases({ davmesh, peer, floor, generator, connections })
    const samples = await runRounds(cases)
    const floorRow = summarise(cases.all[0].name, samples.get(cases.all[0]) ?? [])
    const results = cases.all.map((one) =>
      one === cases.all[0]
        ? floorRow
        : summarise(
            one.name,
            samples.get(one) ?? [],
            one.pid === undefined ? undefined : [floorRow],
          ),
    )
    await cases.close()
    return {
      machine: describeMachine(),
      generator: generator.name,
      rounds,
      seconds,
      connections,
      noise: floorRow.spread,
      peakRssBytes: {
        davmesh: peakRssOf(davmesh.pid) ?? null,
        floor: peakRssOf(floor.pid) ?? null,
      },
      results,
    }
  } finally {
    floor.stop()
    await peer.close()
    await davmesh.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

const isAsked = (part: string): boolean => values.only === undefined || values.only === part

const core = isAsked('core') ? await measureCore() : undefined
const relay = isAsked('relay') ? await measureRelay({ rounds, seconds }) : undefined
const workers = isAsked('workers')
  ? await measureWorkers({ rounds, seconds, connections })
  : undefined
const tables = [
  core && writeTable(core),
  relay && writeRelay(relay),
  workers && writeWorkers(workers),
].filter(Boolean)
const said = values.json
  ? JSON.stringify({ ...core, relay, workers }, null, 2)
  : tables.join('\n\n')
process.stdout.write(`${said}\n`)
