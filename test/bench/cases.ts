import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../src/config/index.ts'
import { createLogger } from '../../src/core/index.ts'
import { openServices } from '../../src/services.ts'
import { createTokenVerifier } from '../../src/tokens/verify.ts'
import type { Davmesh } from '../interop/support/davmesh.ts'
import { epochSeconds, openShare } from '../interop/support/open-share.ts'
import type { IndependentPeer } from '../support/peer/independent-peer.ts'
import { signMessage } from '../support/peer/signing.ts'
import { repeat, type Load, type LoadGenerator, type LoadRequest, type Measured } from './load.ts'
import type { Floor } from './process.ts'

/** Something to be measured, again and again. */
export interface Case {
  readonly name: string
  /** The server that does the work; undefined when this process does. */
  readonly pid?: number
  measure(seconds: number): Promise<Measured>
}

export interface Cases {
  /** The first one is the floor. */
  readonly all: readonly [Case, ...Case[]]
  close(): Promise<void>
}

export interface Stage {
  davmesh: Davmesh
  peer: IndependentPeer
  floor: Floor
  generator: LoadGenerator
  connections: number
}

const fileName = 'four-kib.bin'

/** Shares two folders, so that exchanging tokens of one never evicts the token that reads the other. */
export async function prepareCases(stage: Stage): Promise<Cases> {
  const { davmesh, peer, floor, generator, connections } = stage
  await davmesh.addUser('alice')
  const home = join(davmesh.dataDir, 'files', 'alice')
  writeFileSync(join(home, fileName), Buffer.alloc(4096, 'davmesh '))
  const read = await openShare(davmesh, peer, { owner: 'alice', path: '/' })
  const traded = await openShare(davmesh, peer, { owner: 'alice', path: `/${fileName}` })
  const checks = await openChecks(davmesh, read.accessToken, connections)

  const load = (origin: string, requests: readonly LoadRequest[], seconds: number): Load => ({
    origin,
    requests,
    connections,
    seconds,
  })
  const authorization = `Bearer ${read.accessToken}`
  const get = { method: 'GET', path: `/dav/ocm/${fileName}`, headers: { authorization } } as const
  return {
    all: [
      {
        name: 'floor: bare Node, 4 KiB',
        pid: floor.pid,
        measure: (seconds) => generator.run(load(floor.origin, [get], seconds)),
      },
      {
        name: 'GET 4 KiB with access token',
        pid: davmesh.pid,
        measure: (seconds) => generator.run(load(davmesh.url, [get], seconds)),
      },
      {
        name: 'POST /ocm/token, signed',
        pid: davmesh.pid,
        measure: (seconds) => {
          const requests = signRequests(davmesh, peer, traded.refreshToken)
          return generator.run(load(davmesh.url, requests, seconds))
        },
      },
      { name: 'bearer check, cached', measure: checks.cached },
      { name: 'bearer check, not cached', measure: checks.uncached },
    ],
    close: checks.close,
  }
}

/** Signatures of the last two minutes, each as of another second: all within the freshness window. */
function signRequests(
  davmesh: Davmesh,
  peer: IndependentPeer,
  refreshToken: string,
): readonly LoadRequest[] {
  const path = '/ocm/token'
  const form = { grant_type: 'authorization_code', client_id: peer.host, code: refreshToken }
  const body = new URLSearchParams(form).toString()
  const message = { method: 'POST', targetUri: davmesh.url + path, body }
  const type = { 'content-type': 'application/x-www-form-urlencoded' }
  const now = epochSeconds()
  return Array.from({ length: 120 }, (_, age) => {
    const { headers } = signMessage(message, peer.key, now - age)
    return { method: 'POST', path, headers: { ...type, ...headers }, body }
  })
}

/**
 * The check alone, in this process, on the server's own database: the verification cache has no
 * switch outside, so this is where its worth can be seen. A check's seconds are a fourth of a run's.
 */
async function openChecks(davmesh: Davmesh, token: string, lanes: number) {
  const log = createLogger({ level: 'silent' })
  const services = await openServices(loadConfig({ file: davmesh.configFile }), log)
  const deps = { ...services, issuer: davmesh.url }
  const measure = (verify: ReturnType<typeof createTokenVerifier>) => (seconds: number) =>
    repeat(lanes, seconds / 4, async () => {
      const { status } = await verify(token)
      if (status !== 'valid') throw new Error('the token is refused')
    })
  return {
    cached: measure(createTokenVerifier(deps)),
    uncached: measure(createTokenVerifier({ ...deps, cacheSize: 0 })),
    close: services.close,
  }
}
