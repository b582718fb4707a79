import { expect } from '@jest/globals'
import {
  createLogger,
  createSealer,
  hashSecret,
  loadSecretKey,
  type Sealer,
} from '../../src/core/index.ts'
import type { Database } from '../../src/db/index.ts'
import type { TestServer } from './start-server.ts'

/** What one server knows, as it is on the disk. */
export interface Side {
  /** `host[:port]`. */
  readonly authority: string
  readonly db: Database
  readonly secretKeyFile: string
}

interface Given {
  readonly id: string
  readonly recipient: string
  readonly state: string
  readonly revoked_at: number | null
}

interface Received {
  readonly id: string
  readonly provider_id: string
  readonly recipient: string
  readonly state: string
  readonly ended_by: string | null
  readonly mount_name: string | null
  readonly sealed_secret: Buffer | null
}

interface Known {
  readonly user: string
  readonly identifier: string
  readonly source: string
}

/** What the recipient's server may have of a share that its owner's calls so. */
const counterparts: Readonly<Record<string, readonly string[]>> = {
  sent: ['pending'],
  accepted: ['accepted'],
  declined: ['declined', 'removed by recipient'],
  // Both may have ended it at once, and what never arrived has left no trace.
  revoked: ['removed by sender', 'removed by recipient', 'declined', 'nothing'],
  // A final no.
  failed: ['nothing'],
}

const sideOf = (server: TestServer): Side => {
  const { db, config } = server.services()
  return { authority: server.authority, db, secretKeyFile: config.secretKeyFile }
}

const rows = (side: Side, query: string, ...values: unknown[]): unknown[] =>
  side.db.raw.reader.prepare(query).all(...values)

/**
 * Both databases tell one story: every share that one gave is at the other as often and in the state
 * it must be, its tokens and secrets live as long as it does, each knows whom the other knows, and
 * neither has anything left to say.
 */
export function expectAgreement(one: TestServer | Side, other: TestServer | Side): void {
  const [a, b] = [one, other].map((side) => ('services' in side ? sideOf(side) : side))
  if (a === undefined || b === undefined) return
  for (const [from, to] of [
    [a, b],
    [b, a],
  ] as const) {
    expect(owedBy(from, to.authority)).toEqual([])
    expectShares(from, to)
    expectContacts(from, to)
  }
}

const owedBy = (side: Side, peer: string): unknown[] =>
  rows(side, 'SELECT label, state, attempts, last_error FROM outbox WHERE peer = ?', peer)

function expectShares(giver: Side, receiver: Side): void {
  const given = rows(
    giver,
    'SELECT * FROM outgoing_shares WHERE recipient_host = ?',
    receiver.authority,
  ) as Given[]
  const received = rows(
    receiver,
    `SELECT i.*, u.username || '@' || ? AS recipient FROM incoming_shares i
     JOIN users u ON u.id = i.user_id WHERE sender_host = ?`,
    receiver.authority,
    giver.authority,
  ) as Received[]
  const sealer = createSealer(loadSecretKey(receiver.secretKeyFile, silent).current)
  for (const share of given) {
    const twins = received.filter(({ provider_id: id }) => id === share.id)
    const copy = twins[0]
    const copies = twins.map(({ recipient }) => recipient)
    const there = copy === undefined ? 'nothing' : stateOf(copy)
    const { id, state, recipient } = share
    const told = { id, here: state, there, copies }
    const allowed = counterparts[state] ?? []
    expect(told).toEqual({
      id,
      here: state,
      there: allowed.includes(there) ? there : allowed.join(' or '),
      copies: copy === undefined ? [] : [recipient],
    })
    const isLive = share.revoked_at === null
    const hashes = liveSecrets(giver, id)
    expect({ id, tokens: hashes.length }).toEqual({ id, tokens: isLive ? 1 : 0 })
    const kept = copy?.sealed_secret == null ? [] : [hashSecret(secretIn(copy, sealer))]
    expect({ id, kept }).toEqual({ id, kept: copy && isLive ? hashes : [] })
    expect({ id, accessTokens: isLive ? 0 : liveAccessTokens(giver, id) }).toEqual({
      id,
      accessTokens: 0,
    })
    const isMounted = typeof copy?.mount_name === 'string'
    expect({ id, isMounted }).toEqual({ id, isMounted: state === 'accepted' })
  }
  const ids = given.map(({ id }) => id)
  expect(received.filter(({ provider_id: id }) => !ids.includes(id))).toEqual([])
}

const silent = createLogger({ level: 'silent', format: 'json' })

const stateOf = ({ state, ended_by: by }: Received): string =>
  state === 'removed' ? `removed by ${by}` : state

function secretIn({ id, sealed_secret: sealed }: Received, sealer: Sealer): string {
  const plain = sealer.open(sealed ?? Buffer.alloc(0), `incoming_shares.secret:${id}`)
  return (JSON.parse(plain) as { secret: string }).secret
}

const liveSecrets = (side: Side, shareId: string): string[] =>
  (
    rows(
      side,
      'SELECT secret_hash AS hash FROM refresh_tokens WHERE share_id = ? AND revoked_at IS NULL',
      shareId,
    ) as { hash: string }[]
  ).map(({ hash }) => hash)

const liveAccessTokens = (side: Side, shareId: string): number =>
  rows(side, 'SELECT 1 FROM access_tokens WHERE share_id = ? AND revoked_at IS NULL', shareId)
    .length

/** Whom one side came to know by the other's invite, that one knows too, and once. */
function expectContacts(inviter: Side, guest: Side): void {
  const invited = pairsOf(inviter, guest, 'invited', ({ user, identifier }) => [user, identifier])
  const accepted = pairsOf(guest, inviter, 'accepted', ({ user, identifier }) => [identifier, user])
  expect(invited).toEqual(accepted)
}

const pairsOf = (
  side: Side,
  of: Side,
  source: string,
  pair: (known: Known) => readonly [inviter: string, guest: string],
): string[] =>
  (
    rows(
      side,
      `SELECT u.username AS user, c.identifier, c.source FROM contacts c
       JOIN users u ON u.id = c.user_id WHERE c.host = ? AND c.source = ?`,
      of.authority,
      source,
    ) as Known[]
  )
    .map((known) => pair(known).join(' and '))
    .sort()
