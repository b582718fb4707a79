import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, RunningServer, RunOptions, Sample, Work } from './contract.ts'
import { makeData } from './data.ts'
import { findProgram, killChildren, resetPeak, usageOf } from './processes.ts'
import { printTable, summarise } from './report.ts'
import { servers } from './servers/index.ts'
import { works } from './works.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    /** Parts of names of works, with commas. */
    only: { type: 'string', default: '' },
    servers: { type: 'string', default: '' },
    json: { type: 'boolean', default: false },
  },
})

const say = (text: string): void => void process.stderr.write(`${text}\n`)

const wants = (list: string, name: string): boolean =>
  list === '' || list.split(',').some((part) => name.includes(part))

async function startServers(bench: Bench): Promise<RunningServer[]> {
  const running: RunningServer[] = []
  for (const server of servers.filter(({ name }) => wants(values.servers, name))) {
    const started = await server.start(bench)
    if (started) running.push(started)
    else say(`${server.name} is not installed`)
  }
  return running
}

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

async function run(bench: Bench): Promise<void> {
  const chosen = works.filter(({ name }) => wants(values.only, name))
  say('making the files')
  await makeData(bench.data, new Set(chosen.map(({ name }) => name)))
  const running = await startServers(bench)
  const results = new Map(
    chosen.map(({ name }) => [name, new Map(running.map((one) => [one.name, [] as Sample[]]))]),
  )
  // Round 0 warms everybody up and is thrown away.
  for (let round = 0; round <= Number(values.rounds); round += 1) {
    for (const work of chosen) {
      for (const server of running) {
        const seconds = round === 0 ? 1 : Number(values.seconds)
        const sample = await measure(work, server, bench, { seconds, round })
        say(`round ${round}  ${work.name}  ${server.name}  ${sample.value.toFixed(1)} ${work.unit}`)
        if (round > 0) results.get(work.name)?.get(server.name)?.push(sample)
      }
    }
  }
  const rows = summarise(chosen, results)
  process.stdout.write(`${values.json ? JSON.stringify(rows, null, 2) : printTable(rows)}\n`)
}

for (const program of ['wrk', 'curl']) {
  if (findProgram(program) === undefined) throw new Error(`${program} is not installed`)
}
const dir = await mkdtemp(join(tmpdir(), 'davmesh-bench-'))
// Apache leaves root behind and has to get in.
await chmod(dir, 0o755)
const data = join(dir, 'files')
await mkdir(data)
try {
  await run({ dir, data })
} finally {
  killChildren()
  await rm(dir, { recursive: true, force: true })
}
process.exit(process.exitCode ?? 0)
