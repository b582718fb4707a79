import { Agent, request } from 'node:http'
import type { Outcome, RunningServer } from './contract.ts'

/** PROPFINDs each path once over so many connections; wrk cannot stop after a number of requests. */
export async function listEachOnce(
  server: RunningServer,
  paths: readonly string[],
  connections: number,
): Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const waiting = [...paths]
  let failures = 0
  async function work(): Promise<void> {
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const status = await list(server, path, agent).catch(() => 0)
      if (status !== 207) failures += 1
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: connections }, work))
  const seconds = (performance.now() - startedAt) / 1000
  agent.destroy()
  return { requests: paths.length, value: paths.length / seconds, failures }
}

function list(server: RunningServer, path: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { ...server.headers, Depth: '1' }
    const req = request(server.url + path, { method: 'PROPFIND', headers, agent }, (res) => {
      res.on('error', reject).on('end', () => resolve(res.statusCode ?? 0))
      res.resume()
    })
    req.on('error', reject).end()
  })
}
