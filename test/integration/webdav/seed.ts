import {
  deadProperties,
  locks,
  outgoingShares,
  resourceChanges,
  users,
  type Database,
  type Transaction,
} from '../../../src/db/index.ts'
import type { ResourceVerbs } from '../../../src/webdav/index.ts'

/** The people of the tests, and the share that their tokens open. */
export async function seed(db: Transaction, shareId: string): Promise<void> {
  for (const id of ['alice', 'bob']) {
    await db.insert(users).values({ id, username: id, displayName: id, home: id, createdAt: 0 })
  }
  await db.insert(outgoingShares).values({
    id: shareId,
    ownerId: 'alice',
    path: ['shared'],
    resourceType: 'folder',
    name: 'shared',
    recipient: 'bob@peer.example',
    recipientHost: 'peer.example',
    permissions: ['read', 'write'],
    strict: false,
    state: 'sent',
    createdAt: 0,
  })
}

/** Everything that WebDAV keeps in the database, as one text. */
export async function dumpResources(db: Database): Promise<string> {
  const rows = [
    await db.select().from(locks).orderBy(locks.token),
    await db.select().from(deadProperties).orderBy(deadProperties.path, deadProperties.name),
    await db.select().from(resourceChanges),
    await db.select({ path: outgoingShares.path }).from(outgoingShares),
  ]
  return JSON.stringify(rows)
}

/** The same verbs, noting each one that is asked. */
export function listening(verbs: ResourceVerbs, asked: string[]): ResourceVerbs {
  return new Proxy(verbs, {
    get(target, name, receiver) {
      asked.push(String(name))
      return Reflect.get(target, name, receiver) as unknown
    },
  })
}
