/** What a mount costs: the same work at the sender itself, in the same run. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDavmesh, type Davmesh } from '../interop/support/davmesh.ts'
import { openShare } from '../interop/support/open-share.ts'
import { basic } from '../support/dav-client.ts'
import { mountStage } from '../support/mount-stage.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import type { Bench, RunningServer, Work } from './dav/contract.ts'
import { makeData } from './dav/data.ts'
import { summarise, type Row } from './dav/report.ts'
import { runRounds } from './dav/rounds.ts'
import { works } from './dav/works.ts'

export interface RelayReport {
  /** Of each work, `mount` beside `direct`. */
  readonly works: readonly Row[]
  /** The most that the relaying process grew in a transfer of 1 GiB. */
  readonly grownMib: number
  readonly grownLimitMib: number
  readonly expired: Expired
}

/** What so many requests made of one expired access token. */
export interface Expired {
  readonly requests: number
  readonly failures: number
  readonly exchanges: number
}

/** How far the mount must reach, as a share of what its sender does directly. */
const targets: Readonly<Record<string, number>> = {
  'get-1g': 0.7,
  'put-1g': 0.7,
  'propfind-d1': 0.6,
  'propfind-d1-cold': 0.6,
}

const settings = {
  files: { durability: 'normal' },
  tokens: { ttlSeconds: 86_400 },
  log: { level: 'error', format: 'json' },
}

/** Two servers with a mount between them, and the same work at either end. */
export async function measureRelay(options: {
  readonly rounds: number
  readonly seconds: number
}): Promise<RelayReport> {
  const dir = mkdtempSync(join(tmpdir(), 'davmesh-bench-'))
  chmodSync(dir, 0o755)
  const bench: Bench = { dir, data: join(dir, 'files', 'Data') }
  mkdirSync(bench.data, { recursive: true })
  const wanted = works
    .filter(({ name }) => name in targets)
    .map((work): Work => ({ ...work, target: { of: 'direct', ratio: targets[work.name] ?? 1 } }))
  const [alices, bobs] = await Promise.all([startDavmesh(settings), startDavmesh(settings)])
  try {
    await makeData(bench.data, new Set(wanted.map(({ name }) => name)))
    await alices.cli('user', 'add', 'alice', '--home', join(dir, 'files'))
    const servers = [await openDirect(alices), await openMount(alices, bobs)]
    const results = await runRounds(wanted, servers, bench, options)
    const rows = summarise(wanted, results, 'mount')
    const grown = rows
      .filter(({ work }) => work.endsWith('1g'))
      .map(({ servers: { mount } }) => mount?.grownRssMib ?? 0)
    const expired = await countExchanges(1000)
    return { works: rows, grownMib: Math.max(...grown), grownLimitMib: 32, expired }
  } finally {
    await Promise.all([alices.stop(), bobs.stop()])
    rmSync(dir, { recursive: true, force: true })
  }
}

/** As a peer with an access token has it. */
async function openDirect(alices: Davmesh): Promise<RunningServer> {
  const peer = await independentPeer()
  try {
    const share = await openShare(alices, peer, { owner: 'alice', path: '/Data' })
    const headers = { Authorization: `Bearer ${share.accessToken}` }
    return { name: 'direct', url: share.url.replace(/\/$/, ''), headers, pid: alices.pid }
  } finally {
    await peer.close()
  }
}

/** As bob has it in his own tree. */
async function openMount(alices: Davmesh, bobs: Davmesh): Promise<RunningServer> {
  const password = await bobs.addUser('bob')
  const bob = `bob@${new URL(bobs.url).host}`
  await alices.cli('share', 'create', 'alice', '/Data', bob, '--permissions', 'read,write')
  const [received] = await bobs.cli<{ id: string }[]>('received', 'list')
  await bobs.cli('received', 'accept', received?.id ?? 'nothing received')
  const headers = { Authorization: basic('bob', password) }
  return { name: 'mount', url: `${bobs.url}/dav/files/bob/Shared/Data`, headers, pid: bobs.pid }
}

/** In this process, because the clock has to be moved. */
async function countExchanges(requests: number): Promise<Expired> {
  // Not a matter of time here.
  const stage = await mountStage({ config: { outbound: { timeoutMs: 60_000 } } })
  try {
    const { sender, path } = await stage.mount({ door: 'strict' })
    await stage.files.get(`${path}/ten.txt`)
    const before = sender.asked.length
    stage.clock.advance('2h')
    const statuses = await Promise.all(
      Array.from({ length: requests }, async () => {
        return (await stage.files.get(`${path}/ten.txt`)).status
      }),
    )
    const failures = statuses.filter((status) => status !== 200).length
    return { requests, failures, exchanges: sender.asked.length - before }
  } finally {
    await stage.close()
  }
}
