import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { join } from 'node:path'
import {
  inTransaction,
  migrateDatabase,
  openDatabase,
  type Database,
  type Transaction,
} from '../../../src/db/index.ts'
import {
  deleteExpiredInvites,
  findContact,
  findGivenInvite,
  updateInvite,
} from '../../../src/invites/queries.ts'
import { findActiveKid, findKeyRow, selectKeysInStates } from '../../../src/keys/queries.ts'
import {
  findEntry,
  findNextOfPeer,
  findNextOfSubject,
  selectDuePeers,
  selectOfSubject,
  updateEntry,
} from '../../../src/outbox/queries.ts'
import { countTies, findPeer, upsertPeer } from '../../../src/peers/queries.ts'
import { deleteExpiredAnywhere, selectLockedPaths } from '../../../src/resources/locks/queries.ts'
import { selectPropertyPaths } from '../../../src/resources/properties/queries.ts'
import {
  findIncoming,
  findMounted,
  findOffer,
  prepareSelectMounts,
  selectMountNames,
  selectOffers,
} from '../../../src/shares/incoming/queries.ts'
import {
  findShare,
  findToken,
  prepareFindLiveShare,
  revokeShareRows,
  selectChildren,
  selectLivePaths,
  selectOpenPaths,
} from '../../../src/shares/queries.ts'
import {
  endLiveReshares,
  findReshareTo,
  hasSharesWith,
  selectReshareIds,
  selectSecretHashes,
} from '../../../src/shares/reshares/queries.ts'
import {
  deleteExpiredTokens,
  evictAccessTokens,
  prepareFindLiveToken,
} from '../../../src/tokens/queries.ts'
import {
  deleteOldFailures,
  findChosenPassword,
  findUserByName,
  prepareFindFailures,
  prepareFindLogin,
} from '../../../src/users/queries.ts'
import { statementsOf } from '../../support/statements.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

let folder: TempDir
let db: Database

beforeAll(async () => {
  folder = await tempDir()
  db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, 1)
})

afterAll(async () => {
  db.close()
  await folder[Symbol.asyncDispose]()
})

/** The plans of every statement that `work` makes SQLite prepare. */
async function plansOf(work: () => unknown): Promise<string[]> {
  const { reader } = db.raw
  const seen = await statementsOf(db, work)
  return seen.map((sql) => {
    const parameters = Array<null>(sql.split('?').length - 1).fill(null)
    const steps = reader.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...parameters)
    return (steps as { detail: string }[]).map(({ detail }) => detail).join('; ')
  })
}

const writing = (work: (tx: Transaction) => Promise<unknown>) => () => inTransaction(db, work)

describe('the index a query names in its comment', () => {
  it.each<[string, () => unknown, string[]]>([
    [
      'a request with an access token',
      () => prepareFindLiveToken(db),
      [
        'sqlite_autoindex_access_tokens_1',
        'sqlite_autoindex_refresh_tokens_1',
        'sqlite_autoindex_outgoing_shares_1',
        'sqlite_autoindex_users_1',
        'sqlite_autoindex_signing_keys_1',
      ],
    ],
    [
      'an exchange',
      () => prepareFindLiveShare(db),
      ['refresh_tokens_secret_hash_unique', 'sqlite_autoindex_outgoing_shares_1'],
    ],
    [
      'a Basic request',
      () => prepareFindLogin(db),
      ['users_username_unique', 'app_passwords_user_hash'],
    ],
    ['a chosen password', () => findChosenPassword(db, 'a'), ['app_passwords_user_kind']],
    ['a count of failures', () => prepareFindFailures(db), ['sqlite_autoindex_login_failures_1']],
    ['a signature of ours', () => findActiveKid(db), ['signing_keys_state']],
    ['the JWK Set', () => selectKeysInStates(db, ['active', 'staged']), ['signing_keys_state']],
    ['a key by its id', () => findKeyRow(db, 'k'), ['sqlite_autoindex_signing_keys_1']],
    ['a peer', () => findPeer(db, 'h'), ['sqlite_autoindex_peers_1']],
    ['a contact', () => findContact(db, 'u', 'h', 'i'), ['contacts_user_host_identifier']],
    ['an invite by its token', () => findGivenInvite(db, 't'), ['invites_token_hash_unique']],
    ['a user by name', () => findUserByName(db, 'a'), ['users_username_unique']],
    ['a secret not yet sent', () => findToken(db, 's'), ['refresh_tokens_share']],
    [
      'an offer, maybe a repeat',
      () => findOffer(db, { senderHost: 'h', providerId: 'p', userId: 'u' }),
      ['incoming_shares_sender_provider_user'],
    ],
    [
      'a notification of a sender',
      () => selectOffers(db, 'p', 'h'),
      ['incoming_shares_sender_provider_user'],
    ],
    ['a notification by secret', () => selectOffers(db, 'p'), ['incoming_shares_provider']],
    ['a mount', () => findMounted(db, 'u', 'm'), ['incoming_shares_mount']],
    ['the mounts of a user', () => prepareSelectMounts(db), ['incoming_shares_mount']],
    ['the names of mounts', () => selectMountNames(db, 'u'), ['incoming_shares_mount']],
    ['a share to pass on', () => findReshareTo(db, 'i', 'r'), ['reshares_incoming']],
    ['what was passed on of some', () => selectReshareIds(db, ['i']), ['reshares_incoming']],
    [
      'the end of what was passed on',
      writing((tx) => endLiveReshares(tx, ['i'], 1)),
      ['reshares_incoming'],
    ],
    [
      'a received share by its id',
      () => findIncoming(db, 'i'),
      ['sqlite_autoindex_incoming_shares_1'],
    ],
    ['what waits to be delivered', () => selectDuePeers(db, 1), ['outbox_due']],
    [
      'the next message to a peer',
      () => findNextOfPeer(db, 'h', 1),
      ['outbox_peer', 'outbox_subject'],
    ],
    ['the next message about a share', () => findNextOfSubject(db, 's', 1), ['outbox_subject']],
    ['all messages about a share', () => selectOfSubject(db, 's'), ['outbox_subject']],
    ['a message by its id', () => findEntry(db, 'i'), ['outbox_id_unique']],
    [
      'the end of a lease',
      writing((tx) => updateEntry(tx, 'i', { leaseOwner: null }, 'me')),
      ['outbox_id_unique'],
    ],
    [
      'whether a server is known',
      () => hasSharesWith(db, 'h'),
      ['outgoing_shares_host', 'incoming_shares_sender_provider_user'],
    ],
    [
      'what ties us to a server',
      () => countTies(db, 'h', 1),
      ['outgoing_shares_host', 'incoming_shares_sender_provider_user', 'outbox_peer'],
    ],
    ['the secrets of a share', () => selectSecretHashes(db, 's'), ['refresh_tokens_share']],
    ['a share by its id', () => findShare(db, 's'), ['sqlite_autoindex_outgoing_shares_1']],
    ['the paths that an owner gave', () => selectLivePaths(db, 'u'), ['outgoing_shares_owner']],
    ['what is learnt of a peer', writing((tx) => upsertPeer(tx, 'h', { failures: 1 })), []],
    [
      'the use of an invite',
      writing((tx) => updateInvite(tx, 'i', { acceptedAt: 1 })),
      ['sqlite_autoindex_invites_1'],
    ],
    ['what a share was passed on as', () => selectChildren(db, 's'), ['outgoing_shares_parent']],
    [
      'the end of a share',
      writing((tx) => revokeShareRows(tx, 's', 1)),
      ['sqlite_autoindex_outgoing_shares_1', 'refresh_tokens_share', 'access_tokens_share'],
    ],
    [
      'the cap on live tokens',
      writing((tx) => evictAccessTokens(tx, 'r', 63, 1)),
      ['access_tokens_refresh_expiry'],
    ],
    [
      'the end of old tokens',
      writing((tx) => deleteExpiredTokens(tx, 1, 9)),
      ['access_tokens_expiry'],
    ],
    ['the end of old locks', writing((tx) => deleteExpiredAnywhere(tx, 1, 9)), ['locks_expiry']],
    ['the end of old invites', writing((tx) => deleteExpiredInvites(tx, 1, 9)), ['invites_expiry']],
    [
      'the end of old failures',
      writing((tx) => deleteOldFailures(tx, 1, 9)),
      ['login_failures_window'],
    ],
    ['what is locked in a tree', () => selectLockedPaths(db, 'u', 1), ['locks_tree_expiry']],
    [
      'what has properties in a tree',
      () => selectPropertyPaths(db, 'u'),
      ['sqlite_autoindex_dead_properties_1'],
    ],
    ['what an owner shares now', () => selectOpenPaths(db, 'u', 1), ['outgoing_shares_owner']],
  ])('is used for %s', async (_name, work, indexes) => {
    const plans = await plansOf(work)
    expect(plans.length).toBeGreaterThan(0)
    for (const plan of plans) {
      expect(plan).not.toMatch(/\bSCAN\b/)
      expect(plan).not.toContain('TEMP B-TREE FOR ORDER BY; SCAN')
    }
    const together = plans.join('\n')
    for (const index of indexes) expect(together).toContain(`INDEX ${index} `)
  })
})
