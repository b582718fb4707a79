import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect } from '@jest/globals'
import { loadConfig } from '../../../src/config/index.ts'
import { createLogger, systemClock, type FaultPoint } from '../../../src/core/index.ts'
import { openDatabase } from '../../../src/db/index.ts'
import { openServices, type Services } from '../../../src/services.ts'
import { expectAgreement, type Side } from '../../support/agreement.ts'
import { faultProxy, type FaultProxy } from '../../support/fault-proxy.ts'
import { crashStage } from './stage.ts'

/** What a user of a site does, in a process of its own, as a command line does it. */
export type Verb = 'share' | 'accept' | 'decline' | 'revoke' | 'use-invite' | 'pass-on'

/** A server that may be killed, at an address that stays. */
export interface Site extends AsyncDisposable {
  readonly authority: string
  /** OCM address of its user. */
  readonly address: string
  readonly proxy: FaultProxy
  readonly dataDir: string
  /** Starts the built server unless it runs, unharmed. */
  revive(): Promise<void>
  /** Starts the built server, or starts it again. */
  start(fault?: `${FaultPoint}:kill`): Promise<void>
  stop(): Promise<void>
  /** The server ends by the fault it was started with. */
  dies(): Promise<void>
  /** Does something in a process of its own, which dies of it. */
  dieDoing(fault: `${FaultPoint}:kill`, verb: Verb, ...args: readonly string[]): Promise<void>
  /** Does something beside the server; later, if what a dead process held must have run out. */
  beside<T>(work: (services: Services) => Promise<T>, laterMs?: number): Promise<T>
}

/** Longer than any lease, and less than the clocks of these servers may differ. */
export const laterMs = 100_000

const dist = new URL('../../../dist/', import.meta.url).href

/** The command line arms no fault, so this is what it does on the built rooms. */
const program = `
  const [configFile, fault, verb, ...args] = process.argv.slice(1)
  const { armFault, createLogger } = await import('${dist}core/index.js')
  const { loadConfig } = await import('${dist}config/index.js')
  const { openServices } = await import('${dist}services.js')
  const log = createLogger({ level: 'silent', format: 'json' })
  armFault(fault, log)
  const { shares, incoming, invites, reshares } =
    await openServices(loadConfig({ file: configFile, environment: {} }), log)
  const verbs = {
    share: (recipient) => shares.createShare({ owner: 'alice', path: '/Holiday', recipient }),
    revoke: shares.revokeShare,
    accept: incoming.accept,
    decline: incoming.decline,
    'use-invite': (invite) => invites.accept('alice', invite),
    'pass-on': (id, recipient) => reshares.request('alice', id, recipient),
  }
  await verbs[verb](...args)
`

export async function site(): Promise<Site> {
  const proxy = await faultProxy()
  const { url, authority } = proxy
  const stage = await crashStage({
    publicUrl: url,
    signatures: { maxSkewSeconds: 600 },
    federation: { reshare: true },
  })
  await stage.fill('Holiday', { 'beach.txt': 'sun and sand' })
  const config = loadConfig({ file: stage.configFile, environment: {} })
  const log = createLogger({ level: 'silent', format: 'json' })

  let isUnharmed = false

  async function start(fault?: `${FaultPoint}:kill`): Promise<void> {
    await stage.start(fault)
    proxy.forwardTo(`http://${stage.process().address}`)
    isUnharmed = fault === undefined
  }

  return {
    authority,
    address: `alice@${authority}`,
    proxy,
    dataDir: stage.dataDir,
    start,
    async revive() {
      if (!isUnharmed) await start()
    },
    stop() {
      isUnharmed = false
      return stage.stop()
    },
    async dies() {
      expect(await stage.process().ended).toBe('SIGKILL')
    },
    async dieDoing(fault, verb, ...args) {
      const all = ['--input-type=module', '-e', program, stage.configFile, fault, verb, ...args]
      const child = spawn(process.execPath, all, { stdio: 'ignore' })
      expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
    },
    async beside(work, later = 0) {
      const clock = { now: () => systemClock.now() + later }
      const services = await openServices(config, log, { clock })
      try {
        return await work(services)
      } finally {
        await services.close()
      }
    },
    async [Symbol.asyncDispose]() {
      await proxy.close()
      await stage[Symbol.asyncDispose]()
    },
  }
}

/** Lets everything that is still owed be said, by whoever is alive; then any two databases agree. */
export async function settleSites(...sites: readonly Site[]): Promise<void> {
  for (let round = 0; round < 100; round += 1) {
    const owed = await Promise.all(sites.map(({ beside }) => beside(deliver, laterMs)))
    if (owed.every((count) => count === 0)) break
  }
  for (const { beside } of sites) {
    expect(await beside(({ check }) => check())).toEqual([])
  }
  const sides = sites.map(openSide)
  try {
    for (const [index, one] of sides.entries()) {
      for (const other of sides.slice(index + 1)) expectAgreement(one, other)
    }
  } finally {
    for (const { db } of sides) db.close()
  }
}

/** Returns how much was owed before: what is heard of it may make others owe something. */
async function deliver({ outbox }: Services): Promise<number> {
  const owed = await outbox.list()
  await outbox.runDue()
  for (const { id } of await outbox.list()) await outbox.retry(id).catch(() => undefined)
  return owed.length
}

function openSide({ authority, dataDir }: Site): Side {
  const db = openDatabase(join(dataDir, 'davmesh.sqlite'))
  return { authority, db, secretKeyFile: join(dataDir, 'secret.key') }
}
