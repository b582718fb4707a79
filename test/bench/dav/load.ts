import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Outcome, RunningServer } from './contract.ts'
import { runToEnd } from './processes.ts'

export interface Load {
  readonly connections: number
  readonly seconds: number
  /** Lua that sets `wrk.method` and the like, or defines `request`. */
  readonly lua?: string
  readonly path: string
}

/** wrk's own figures as one line of JSON. */
const report = `
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"us":%d,"p99":%d,"failures":%d}\\n',
    summary.requests, summary.duration, latency:percentile(99),
    e.status + e.connect + e.read + e.write + e.timeout))
end
`

/** Requests per second under so many keep-alive connections, by wrk with one thread. */
export async function runWrk(server: RunningServer, bench: Bench, load: Load): Promise<Outcome> {
  const script = join(bench.dir, 'load.lua')
  await writeFile(script, `${load.lua ?? ''}\n${report}`)
  const fields = Object.entries(server.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  const target = `${server.url}${load.path}`
  const size = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '--timeout', '30s']
  const text = await runToEnd('wrk', [...size, '-s', script, ...fields, target])
  const line = text.split('\n').find((one) => one.startsWith('{'))
  if (line === undefined) throw new Error(`wrk said nothing: ${text}`)
  const { requests = 0, us = 1, p99 = 0, failures = 0 } = JSON.parse(line) as Record<string, number>
  return { requests, value: requests / (us / 1e6), p99Ms: p99 / 1000, failures }
}

export interface Transfer {
  readonly path: string
  readonly bytes: number
  readonly seconds: number
  /** For curl. */
  readonly args?: readonly string[]
}

/** Transfers by curl one after the other until the time is over, in MB/s. */
export async function runCurl(
  server: RunningServer,
  { path, bytes, seconds, args = [] }: Transfer,
): Promise<Outcome> {
  const fields = Object.entries(server.headers).flatMap(([name, value]) => [
    '-H',
    `${name}: ${value}`,
  ])
  const format = '%{http_code} %{time_total}'
  const quiet = ['-sS', '-o', '/dev/null', '-w', format]
  const target = `${server.url}${path}`
  let [requests, failures, took] = [0, 0, 0]
  while (took < seconds) {
    const text = await runToEnd('curl', [...quiet, ...fields, ...args, target])
    const [status = 0, one = Infinity] = text.trim().split(' ').map(Number)
    if (status < 200 || status >= 300) failures += 1
    requests += 1
    took += one
  }
  return { requests, value: (requests * bytes) / 1e6 / took, failures }
}
