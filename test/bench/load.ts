import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { findProgram, mustRun } from '../interop/support/tools.ts'

/** A request to be sent over and over. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PROPFIND'
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Load {
  readonly origin: string
  /** Sent in turn. */
  readonly requests: readonly LoadRequest[]
  readonly connections: number
  readonly seconds: number
}

/** What one run measured; latencies in milliseconds. */
export interface Measured {
  readonly count: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
}

/** Puts a server under load; every answer must be a success. */
export interface LoadGenerator {
  readonly name: string
  run(load: Load): Promise<Measured>
}

/** wrk where it is installed, since it takes less of the machine than Node; else undici. */
export const findGenerator = (folder: string): LoadGenerator =>
  findProgram('wrk') === undefined
    ? { name: 'undici', run: runUndici }
    : { name: 'wrk', run: (load) => runWrk(load, join(folder, 'requests')) }

const script = fileURLToPath(new URL('load.lua', import.meta.url))

async function runWrk(load: Load, file: string): Promise<Measured> {
  const { origin, requests, connections, seconds } = load
  writeFileSync(file, requests.map((request) => rawRequest(request, origin)).join('\0'))
  const size = ['-t1', `-c${connections}`, `-d${seconds}s`]
  const out = await mustRun('wrk', [...size, '-s', script, origin, '--', file])
  const said = JSON.parse(out.trimEnd().split('\n').at(-1) ?? '') as Record<
    'requests' | 'failures' | 'micros' | 'p50' | 'p99',
    number
  >
  refuseFailures(said.failures, load)
  const { requests: count, micros, p50, p99 } = said
  return { count, seconds: micros / 1e6, p50: p50 / 1000, p99: p99 / 1000 }
}

function rawRequest({ method, path, headers, body = '' }: LoadRequest, origin: string): string {
  const own = { host: new URL(origin).host, 'content-length': String(body.length) }
  const fields = Object.entries({ ...own, ...headers })
  const head = [`${method} ${path} HTTP/1.1`, ...fields.map((field) => field.join(': '))]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

async function runUndici(load: Load): Promise<Measured> {
  const { origin, requests, connections, seconds } = load
  const pool = new Pool(origin, { connections, pipelining: 1 })
  let turn = 0
  let failures = 0
  const measured = await repeat(connections, seconds, async () => {
    const { method, path, headers, body } = requests[turn++ % requests.length] as LoadRequest
    const answer = await pool.request({ method, path, headers, body: body ?? null })
    await answer.body.dump()
    if (answer.statusCode >= 300) failures++
  })
  await pool.close()
  refuseFailures(failures, load)
  return measured
}

/** Does `work` over and over in `lanes` at a time, until the time is up. */
export async function repeat(
  lanes: number,
  seconds: number,
  work: () => Promise<void>,
): Promise<Measured> {
  const times: number[] = []
  const startedAt = performance.now()
  const endsAt = startedAt + seconds * 1000
  const lane = async () => {
    for (let from = performance.now(); from < endsAt;) {
      await work()
      const to = performance.now()
      times.push(to - from)
      from = to
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const elapsed = (performance.now() - startedAt) / 1000
  const sorted = Float64Array.from(times).sort()
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)] ?? 0
  return { count: times.length, seconds: elapsed, p50: at(0.5), p99: at(0.99) }
}

/** A refusal is quick: counting it would flatter. */
function refuseFailures(failures: number, { origin, requests }: Load): void {
  if (failures === 0) return
  const { method, path } = requests[0] as LoadRequest
  throw new Error(`${failures} requests failed: ${method} ${origin}${path}`)
}
