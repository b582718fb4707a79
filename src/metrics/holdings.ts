import { statSync } from 'node:fs'
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../core/index.ts'
import type { Database } from '../db/index.ts'
import {
  countIncoming,
  countLiveTokens,
  countLocks,
  countOutbox,
  countOutgoing,
  countPeers,
  countResting,
  countUsers,
  findOldestOwed,
  selectChores,
  type Counted,
} from './queries.ts'

/** Counts what there is, whenever somebody asks. */
export function countHoldings(registry: Registry, db: Database, clock: Clock): void {
  // All processes of a server count in the same database.
  const shared = { registers: [registry], aggregator: 'first' as const }

  const one = (name: string, help: string, count: () => Promise<number> | number) =>
    new Gauge({
      ...shared,
      name,
      help,
      async collect() {
        this.set(await count())
      },
    })
  const byState = (name: string, help: string, states: readonly string[], count: Count) =>
    new Gauge({
      ...shared,
      name,
      help,
      labelNames: ['state'],
      async collect() {
        this.reset()
        for (const state of states) this.set({ state }, 0)
        for (const { state, entries } of await count(db)) this.set({ state }, entries)
      },
    })

  const byJob = (name: string, help: string, read: (chore: Chore) => number) =>
    new Gauge({
      ...shared,
      name,
      help,
      labelNames: ['job'],
      async collect() {
        this.reset()
        for (const chore of await selectChores(db)) this.set({ job: chore.job }, read(chore))
      },
    })

  const owed = ['waiting', 'refused']
  byState('davmesh_outbox_entries', 'Messages that we owe peers', owed, countOutbox)
  one('davmesh_outbox_oldest_seconds', 'Age of the oldest that is waiting', async () => {
    const now = clock.now()
    return Math.max(0, now - ((await findOldestOwed(db)) ?? now)) / 1000
  })
  byState('davmesh_outgoing_shares', 'Shares that our users gave', [], countOutgoing)
  byState('davmesh_incoming_shares', 'Shares that our users were given', [], countIncoming)
  one('davmesh_access_tokens_live', 'Access tokens that open something now', () =>
    countLiveTokens(db, clock.now()),
  )
  one('davmesh_locks', 'WebDAV locks in force', () => countLocks(db, clock.now()))
  one('davmesh_users', 'Users that are not disabled', () => countUsers(db))
  one('davmesh_peers', 'Other servers that are known', () => countPeers(db))
  one('davmesh_breakers_open', 'Other servers that are left alone because they fail', () =>
    countResting(db, clock.now()),
  )
  byJob('davmesh_job_failing', 'Whether a chore failed the last time', ({ error }) =>
    error === null ? 0 : 1,
  )
  byJob('davmesh_job_ended_timestamp_seconds', 'When a chore ended the last time', (chore) =>
    chore.endedAt === null ? 0 : chore.endedAt / 1000,
  )
  one('davmesh_database_bytes', 'Size of the database file', () => sizeOf(db.path))
  one('davmesh_database_wal_bytes', 'Size of its write-ahead log', () => sizeOf(`${db.path}-wal`))
}

type Chore = Awaited<ReturnType<typeof selectChores>>[number]

type Count = (db: Database) => Promise<Counted>

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0
