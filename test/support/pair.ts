import type { Member } from './federation.ts'

/** What the users of two servers do to each other's shares, and what becomes of it. */
export function pairOf(giver: Member, receiver: Member) {
  /** The receiver's id of a share. */
  async function received(id: string): Promise<string> {
    const [row] = await receiver.services().incoming.findOffers(id, giver.authority)
    if (row === undefined) throw new Error(`${id} was not received`)
    return row.id
  }
  const { user: owner } = giver

  return {
    share: () =>
      giver.services().shares.createShare({ owner, path: '/Holiday', recipient: receiver.address }),
    revoke: (id: string) => giver.services().shares.revokeShare(id),
    accept: async (id: string) => receiver.services().incoming.accept(await received(id)),
    decline: async (id: string) => receiver.services().incoming.decline(await received(id)),
    remove: async (id: string) => receiver.services().incoming.remove(await received(id)),
    /** The state at its owner's, and of every copy at the recipient's. */
    async states(id: string): Promise<[here: string, there: string[]]> {
      const copies = await receiver.services().incoming.findOffers(id, giver.authority)
      const { state } = await giver.services().shares.getShare(id)
      return [state, copies.map((copy) => copy.state)]
    },
  }
}
