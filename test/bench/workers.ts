/** What a second worker is worth: the same requests to one process and to two. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startDavmesh, type Davmesh } from '../interop/support/davmesh.ts'
import { openShare } from '../interop/support/open-share.ts'
import { newFolder } from '../interop/support/tools.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { halve, releaseHalf } from './half-processor.ts'
import { childrenOf, cpuSecondsOfAll } from './process.ts'
import { findGenerator, type LoadRequest } from './load.ts'
import { summarise, type Row, type Sample } from './report.ts'

export interface WorkersReport {
  /** On the same processors as the generator. */
  readonly shared: readonly WorkOfWorkers[] | null
  /** Each worker with half a processor; null where we may make no control groups. */
  readonly halved: readonly WorkOfWorkers[] | null
  /** How much more two are to do than one, where nothing else wants their processors. */
  readonly target: number
}

export interface WorkOfWorkers {
  readonly name: string
  readonly one: Row
  readonly two: Row
  /** Median over the rounds of what two did by what one did in the same round. */
  readonly ratio: number
}

const target = 1.7

const settings = { tokens: { ttlSeconds: 86_400 }, log: { level: 'error', format: 'json' } }

/** Few: more would measure how fast the generator takes answers. */
const memberCount = 10

const works = [
  { name: 'GET 4 KiB with access token', method: 'GET', file: 'four-kib.bin', fields: {} },
  {
    name: `PROPFIND of ${memberCount} members`,
    method: 'PROPFIND',
    file: 'many/',
    fields: { depth: '1' },
  },
] as const

/**
 * Once as the machine is, with the generator on the same processors, and once with half a processor for
 * each worker: two cores leave the generator one then, and the workers are what limits.
 */
export async function measureWorkers(options: LoadSize): Promise<WorkersReport> {
  const shared = await measureOn(options, () => true)
  const limited: number[] = []
  const halved = await measureOn(options, ({ pid }) => {
    const workers = childrenOf(pid)
    const serving = workers.length > 0 ? workers : [pid]
    limited.push(...serving)
    return serving.every(halve)
  })
  limited.forEach(releaseHalf)
  return { shared, halved, target }
}

interface LoadSize {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
}

/** Alternating, so that a slow minute hurts both alike. */
async function measureOn(
  { rounds, seconds, connections }: LoadSize,
  prepare: (server: Davmesh) => boolean,
): Promise<WorkOfWorkers[] | null> {
  const folder = newFolder()
  const generator = findGenerator(folder)
  const peer = await independentPeer()
  const servers = await Promise.all([1, 2].map((workers) => startDavmesh({ ...settings, workers })))
  const [one, two] = servers
  try {
    if (!one || !two) throw new Error('two servers were started')
    const tokens = new Map<Davmesh, string>()
    for (const server of servers) {
      await fill(server)
      tokens.set(server, (await openShare(server, peer, { owner: 'alice', path: '/' })).accessToken)
    }
    if (!servers.map(prepare).every(Boolean)) return null
    const measured: WorkOfWorkers[] = []
    for (const { name, method, file, fields } of works) {
      const run = async (server: Davmesh, seconds: number): Promise<Sample> => {
        const authorization = `Bearer ${tokens.get(server) ?? ''}`
        const request: LoadRequest = {
          method,
          path: `/dav/ocm/${file}`,
          headers: { authorization, ...fields },
        }
        const load = { origin: server.url, requests: [request], connections, seconds }
        const before = cpuSecondsOfAll(server.pid)
        const measured = await generator.run(load)
        const after = cpuSecondsOfAll(server.pid)
        if (before === undefined || after === undefined)
          return { ...measured, cpuMicros: undefined }
        return { ...measured, cpuMicros: ((after - before) * 1e6) / measured.count }
      }
      const samples: [ofOne: Sample[], ofTwo: Sample[]] = [[], []]
      for (const server of servers) await run(server, 1)
      for (let round = 0; round < rounds; round += 1) {
        samples[0].push(await run(one, seconds))
        samples[1].push(await run(two, seconds))
      }
      const ofOne = summarise(name, samples[0])
      const ofTwo = summarise(name, samples[1], [ofOne])
      measured.push({ name, one: ofOne, two: ofTwo, ratio: ofTwo.ofFloor ?? 0 })
    }
    return measured
  } finally {
    for (const server of servers) await server.stop()
    await peer.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function fill(server: Davmesh): Promise<void> {
  await server.addUser('alice')
  const home = join(server.dataDir, 'files', 'alice')
  writeFileSync(join(home, 'four-kib.bin'), Buffer.alloc(4096, 'davmesh '))
  mkdirSync(join(home, 'many'))
  for (let index = 0; index < memberCount; index += 1) {
    writeFileSync(join(home, 'many', `member-${index}.txt`), 'member')
  }
}

/** The report for people. */
export const writeWorkers = ({ shared, halved, target }: WorkersReport): string =>
  [
    'Workers, the generator on the same processors:',
    ...(shared ?? []).map((work) => `  ${writeWork(work)}`),
    'Workers, each with half a processor:',
    ...(halved
      ? halved.map((work) => `  ${writeWork(work)}; ${judge(work.ratio, target)}`)
      : ['  NOT MEASURED: needs the right to make control groups, as root has']),
  ].join('\n')

function writeWork({ name, one, two, ratio }: WorkOfWorkers): string {
  const [before, after] = [one, two].map(({ perSecond }) => Math.round(perSecond))
  const [each, eachOfTwo] = [one, two].map(({ cpuMicros }) => cpuMicros?.toFixed(0) ?? '?')
  const rates = `${before}/s with one, ${after}/s with two, ${ratio.toFixed(2)} times`
  return `${name}: ${rates}; processor time ${each} and ${eachOfTwo} us a request`
}

const judge = (ratio: number, target: number): string =>
  `${target} ${ratio >= target ? 'met' : 'MISSED'}`
