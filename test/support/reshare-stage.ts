import { createLogger, createSealer, loadSecretKey } from '../../src/core/index.ts'
import { findIncoming } from '../../src/shares/incoming/queries.ts'
import { openSecret } from '../../src/shares/incoming/secret.ts'
import type { IncomingShare, NewShare, OutgoingShare, Reshare } from '../../src/shares/index.ts'
import { bearer, davClient } from './dav-client.ts'
import { fakeClock } from './fake-clock.ts'
import { addAlice } from './share-with.ts'
import { startServer, type TestServer } from './start-server.ts'
import { unvisited } from './unvisited.ts'

export type ReshareStage = Awaited<ReturnType<typeof reshareStage>>

/** What alice gave bob, on both servers. */
export interface Given {
  readonly share: OutgoingShare
  readonly incoming: IncomingShare
}

const silent = createLogger({ level: 'silent', format: 'json' })

/**
 * Three servers: alice owns, bob passes on, carol gets. Messages go when a test says `settle`, or
 * when whoever owes them waits for that.
 */
export async function reshareStage({
  reshare = true,
  now,
}: { reshare?: boolean; now?: number } = {}) {
  const clock = fakeClock(now)
  const open = (federation = {}) =>
    startServer({ clock, courier: false, config: { federation }, ...unvisited })
  const alices = await open({ reshare })
  const bobs = await open()
  const carols = await open()
  const all = [alices, bobs, carols]
  await addAlice(alices)
  await bobs.addUser('bob')
  await carols.addUser('carol')

  /** Everybody says what is due, until nothing is. */
  async function settle(): Promise<void> {
    for (let said = 1; said > 0;) {
      const counts = await Promise.all(all.map((one) => one.services().outbox.runDue()))
      said = counts.reduce((sum, count) => sum + count, 0)
    }
  }

  const receivedBy = async (server: TestServer, providerId: string): Promise<IncomingShare> => {
    const found = (await server.services().incoming.list()).find(
      (one) => one.providerId === providerId,
    )
    if (found === undefined) throw new Error(`${providerId} was not received`)
    return found
  }

  return {
    clock,
    alices,
    bobs,
    carols,
    bob: `bob@${bobs.authority}`,
    carol: `carol@${carols.authority}`,
    settle,
    receivedBy,

    /** alice shares /Holiday with bob, who accepts unless told otherwise. */
    async give(wanted: Partial<NewShare> = {}, accept = true): Promise<Given> {
      const { shares } = alices.services()
      const share = await shares.createShare({
        owner: 'alice',
        path: '/Holiday',
        recipient: `bob@${bobs.authority}`,
        permissions: ['read', 'share'],
        ...wanted,
      })
      const { id } = await receivedBy(bobs, share.id)
      const { incoming } = bobs.services()
      return { share, incoming: accept ? await incoming.accept(id) : await incoming.get(id) }
    },

    passOn: ({ incoming }: Given, to = `carol@${carols.authority}`): Promise<Reshare> =>
      bobs.services().reshares.request('bob', incoming.id, to),

    /** The access token that a server gets for what it received of alice's. */
    async exchange(server: TestServer, incomingId: string): Promise<string | undefined> {
      const { db, config, peers } = server.services()
      const row = (await findIncoming(db, incomingId))?.row
      const sealer = createSealer(loadSecretKey(config.secretKeyFile, silent).current)
      const code = row && openSecret(sealer, row)?.secret
      if (code === undefined) return undefined
      server.secrets.add(code)
      const owner = await peers.getPeer(alices.authority)
      const form = { grant_type: 'authorization_code', client_id: server.authority, code }
      const { body } = await peers.post(owner, '/token', form)
      const { access_token: token } = body as { access_token?: string }
      if (token !== undefined) server.secrets.add(token)
      return token
    },

    /** What an access token reads of the shared folder. */
    async read(token: string | undefined): Promise<string | number> {
      const dav = davClient(`${alices.url}/dav/ocm/`, bearer(token ?? 'none'))
      const answer = await dav.get('beach.txt')
      return answer.status === 200 ? answer.text : answer.status
    },

    close: () => Promise.all(all.map((one) => one.close())),
  }
}
