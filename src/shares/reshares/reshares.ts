import { reach } from '../../core/index.ts'
import { inTransaction } from '../../db/index.ts'
import type { Outbox } from '../../outbox/index.ts'
import type { Peers } from '../../peers/index.ts'
import type { User } from '../../users/index.ts'
import { withoutSecret, type IncomingShare } from '../incoming/incoming-share.ts'
import { findIncoming, findMounted, selectIncoming } from '../incoming/queries.ts'
import { parsePath } from '../resource.ts'
import { tellSoon } from '../revocation.ts'
import { createAsking, type AskingDeps } from './asking.ts'
import { ReshareError } from './errors.ts'
import { absent, createPassable, type PassableDeps } from './passable.ts'
import {
  findReshare,
  findReshareTo,
  insertReshare,
  selectPassedOn,
  selectReshares,
  updateReshare,
  type AskedReshare,
} from './queries.ts'
import { newReshareId, withoutToken, type Reshare } from './reshare.ts'

export interface ResharesDeps extends AskingDeps, PassableDeps {
  peers: Pick<Peers, 'getPeer' | 'isDenied' | 'post'>
  outbox: Pick<Outbox, 'prepare' | 'cancel' | 'deliverNow' | 'retrySubject'>
  findUser(username: string): Promise<User>
}

export type Reshares = ReturnType<typeof createReshares>

/** What our users were given and pass on: its owner is asked, and gives it in its own name. */
export function createReshares(deps: ResharesDeps) {
  const { db, clock, events, outbox, findUser, sharedFolder } = deps
  const asking = createAsking(deps)
  const passable = createPassable(deps)

  async function find(id: string): Promise<AskedReshare> {
    const found = await findReshare(db, id)
    if (found !== undefined) return found
    throw new ReshareError('reshare_not_found', `There is no share "${id}".`)
  }

  const get = async (id: string): Promise<Reshare> => withoutToken(await find(id))

  /** Asks now, whatever was planned. */
  async function askNow(id: string): Promise<Reshare> {
    const found = await find(id)
    const { row, parent } = found
    // What is still owed of it is about an earlier time.
    if (row.state === 'granted') return withoutToken(found)
    if ((await outbox.retrySubject(id)) === 0) {
      await inTransaction(db, outbox.prepare(asking.owed(id, parent)))
    }
    await outbox.deliverNow(id)
    return get(id)
  }

  return {
    deliver: asking.deliver,

    get,

    /** Newest first; ended ones too. */
    list: async (user?: string): Promise<Reshare[]> =>
      (await selectReshares(db, user)).map(withoutToken),

    /**
     * The received share that stands at a path of a user's tree, if the path leads to one.
     *
     * @throws ReshareError when it leads into one, or to one that is not accepted.
     */
    async findParent(username: string, path: string): Promise<IncomingShare | undefined> {
      const [folder, member, ...below] = parsePath(path)
      if (folder !== sharedFolder || member === undefined) return undefined
      const { id } = await findUser(username)
      const name = member.normalize('NFC')
      const mounted = await findMounted(db, id, name)
      if (mounted === undefined) {
        const mine = await selectIncoming(db, username)
        const other = mine.find(({ row }) => row.name === name && row.mountName === null)
        if (other === undefined) return undefined
        throw absent(other.row)
      }
      passable.checkWhole(mounted, below)
      return withoutSecret(mounted)
    },

    /**
     * Asks the owner of a received share to give it to somebody else too. There is one reshare of a
     * share and a recipient: asked for again it is the same one, also after it was undone.
     *
     * @throws ReshareError, PeerError, UserError when nobody was asked.
     */
    async request(username: string, incomingId: string, address: string): Promise<Reshare> {
      const user = await findUser(username)
      if (user.disabledAt !== null) {
        throw new ReshareError('reshare_forbidden', `User "${username}" is disabled.`)
      }
      const parent = await findIncoming(db, incomingId)
      if (parent?.row.userId !== user.id) {
        const message = `${username} has no received share "${incomingId}".`
        throw new ReshareError('reshare_not_found', message)
      }
      passable.checkShare(parent)
      const recipient = await passable.readRecipient(parent, address)
      const { id, before } = await inTransaction(db, async (tx) => {
        const current = await findIncoming(tx, incomingId)
        if (current?.row.state !== 'accepted') throw absent(current?.row ?? parent.row)
        const known = await findReshareTo(tx, incomingId, recipient)
        if (known?.endedAt === null) return { id: known.id, before: known }
        const reshareId = known?.id ?? newReshareId()
        const fresh = { state: 'requested', createdAt: clock.now() } as const
        if (known) {
          await updateReshare(tx, reshareId, { ...fresh, endedAt: null, providerId: null })
        } else {
          await insertReshare(tx, {
            ...fresh,
            id: reshareId,
            incomingShareId: incomingId,
            recipient,
          })
        }
        // In line behind what is still to be said of it, e.g. that it was undone before.
        await outbox.prepare(asking.owed(reshareId, parent.row))(tx)
        return { id: reshareId, before: known }
      })
      await reach('reshare.committed')
      if (before?.endedAt !== null) {
        events.emit('reshare.requested', { reshareId: id, peer: parent.row.senderHost })
      }
      if (before !== undefined) return askNow(id)
      await outbox.deliverNow(id)
      return get(id)
    },

    /** Asks once more what was refused, or not answered. */
    async send(id: string): Promise<Reshare> {
      const { row } = await find(id)
      if (row.state === 'requested' || row.state === 'refused') return askNow(id)
      const message = `Share "${id}" is ${row.state}; only a requested or refused one is sent.`
      throw new ReshareError('reshare_state', message)
    },

    /** All that an owner may mean by an id, of whichever server. */
    findPassedOn: (id: string): Promise<AskedReshare[]> => selectPassedOn(db, id),

    matchesToken: asking.matchesToken,

    /** The owner, or who got it, has ended it. Repeats are no change. */
    async endByOwner({ row, parent }: AskedReshare): Promise<void> {
      const isChanged = await inTransaction(db, async (tx) => {
        const current = (await findReshare(tx, row.id))?.row
        // One that was asked for anew is another one, whatever the id we gave it.
        if (current?.state !== 'granted' || current.providerId !== row.providerId) return false
        const end = { state: 'undone', endedAt: clock.now(), sealedToken: null } as const
        await updateReshare(tx, row.id, { ...end, problem: null })
        return true
      })
      if (isChanged) events.emit('reshare.undone', { shareId: row.id, peer: parent.senderHost })
    },

    /** Takes it back: its owner ends it, or is not asked for it. Again is no change. */
    async undo(id: string): Promise<Reshare> {
      const { parent } = await find(id)
      const isChanged = await inTransaction(db, async (tx) => {
        const found = await findReshare(tx, id)
        if (found === undefined || found.row.state === 'undone') return false
        await asking.end(tx, found)
        return true
      })
      if (isChanged) events.emit('reshare.undone', { shareId: id, peer: parent.senderHost })
      await tellSoon(outbox, [id])
      return get(id)
    },
  }
}
