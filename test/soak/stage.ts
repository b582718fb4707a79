import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDavmesh, type Davmesh } from '../interop/support/davmesh.ts'
import { basic, bearer, davClient } from '../support/dav-client.ts'
import type { Answer } from '../support/http-request.ts'
import { independentPeer, type IndependentPeer } from '../support/peer/independent-peer.ts'
import { steppedClock, withClock, withClockAndGauge } from '../support/server-shims.ts'

export type Dav = ReturnType<typeof davClient>

/** One of the servers, and where it writes down how it is. */
export interface Watched {
  readonly name: string
  readonly davmesh: Davmesh
  readonly vitalsFile: string
}

/** alice's and bob's servers with a mount between them, and a peer that has a share of alice's. */
export interface SoakStage extends AsyncDisposable {
  readonly servers: readonly Watched[]
  readonly alices: Davmesh
  /** alice's own files, and bob's, in which `Shared/Trip` is alice's `/Trip`. */
  readonly alice: Dav
  readonly bob: Dav
  readonly peer: IndependentPeer
  /** What alice's server takes the time to be. */
  now(): number
  askToken(): Promise<Answer>
  /** The peer's share, opened by a token. */
  shared(token: string): Dav
}

/** How often something that says how long it lives does so: what takes a day here takes an hour. */
export const clockSpeed = 24

const settings = {
  tokens: { ttlSeconds: 300 },
  limits: { login: { failures: 5, windowSeconds: 60 } },
  files: { durability: 'normal' },
  log: { level: 'warn', format: 'json' },
}

export async function soakStage(): Promise<SoakStage> {
  const folder = mkdtempSync(join(tmpdir(), 'davmesh-soak-'))
  const clock = steppedClock(folder, clockSpeed)
  const start = async (name: string): Promise<Watched> => {
    const vitalsFile = join(folder, name)
    const davmesh = await startDavmesh(settings, {
      server: withClockAndGauge(clock, vitalsFile),
      commands: withClock(clock),
    })
    return { name, davmesh, vitalsFile }
  }
  const peer = await independentPeer()
  const servers = [await start('alice'), await start('bob')]
  const [alices, bobs] = servers.map(({ davmesh }) => davmesh)
  if (alices === undefined || bobs === undefined) throw new Error('two were started')
  const passwords = [await alices.addUser('alice'), await bobs.addUser('bob')] as const
  for (const name of ['Trip', 'Holiday']) {
    mkdirSync(join(alices.dataDir, 'files', 'alice', name), { recursive: true })
    for (let index = 0; index < 20; index += 1) {
      const file = join(alices.dataDir, 'files', 'alice', name, `f${index}.txt`)
      writeFileSync(file, `${name} ${index} `.repeat(200))
    }
  }
  const bob = `bob@${new URL(bobs.url).host}`
  await alices.cli('share', 'create', 'alice', '/Trip', bob, '--permissions', 'read,write')
  const [received] = await bobs.cli<{ id: string }[]>('received', 'list')
  await bobs.cli('received', 'accept', received?.id ?? 'nothing received')
  await alices.cli('share', 'create', 'alice', '/Holiday', `bob@${peer.host}`)
  const secret = peer.shares.at(-1)?.body.protocol.webdav.sharedSecret ?? ''
  const server = { url: alices.url, clock: { seconds: () => Math.floor(clock.now() / 1000) } }
  return {
    servers,
    alices,
    alice: davClient(`${alices.url}/dav/files/alice/`, basic('alice', passwords[0])),
    bob: davClient(`${bobs.url}/dav/files/bob/`, basic('bob', passwords[1])),
    peer,
    now: () => clock.now(),
    askToken: () => peer.askToken(server, secret),
    shared: (token) => davClient(`${alices.url}/dav/ocm/`, bearer(token)),
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.map(({ davmesh }) => davmesh.stop()), peer.close()])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
