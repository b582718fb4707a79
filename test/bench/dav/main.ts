import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Bench, RunningServer } from './contract.ts'
import { makeData } from './data.ts'
import { findProgram, killChildren } from './processes.ts'
import { printTable, summarise } from './report.ts'
import { runRounds, say } from './rounds.ts'
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

async function run(bench: Bench): Promise<void> {
  const chosen = works.filter(({ name }) => wants(values.only, name))
  say('making the files')
  await makeData(bench.data, new Set(chosen.map(({ name }) => name)))
  const running = await startServers(bench)
  const rounds = Number(values.rounds)
  const seconds = Number(values.seconds)
  const results = await runRounds(chosen, running, bench, { rounds, seconds })
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
