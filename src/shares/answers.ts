import { timingSafeEqual } from 'node:crypto'
import { hashSecret } from '../core/index.ts'
import type { Transaction } from '../db/index.ts'
import { findShare, revokeShareRows, selectChildren, type OutgoingShareRow } from './queries.ts'
import { hasSharesWith, selectSecretHashes, updateOutgoing } from './reshares/queries.ts'
import { createRevocation, type RevocationDeps } from './revocation.ts'

/** `conflict`: it has been answered otherwise before. */
export type AnswerEffect = 'changed' | 'same' | 'conflict'

export type OutgoingAnswers = ReturnType<typeof createOutgoingAnswers>

/** What the recipients of our shares say to them. */
export function createOutgoingAnswers(deps: RevocationDeps) {
  const { db, clock, outbox } = deps
  const revocation = createRevocation(deps)

  return {
    findOutgoing: async (id: string): Promise<OutgoingShareRow | undefined> =>
      (await findShare(db, id))?.share,

    /** Whether anything was ever shared with a server. */
    isAcquainted: (host: string): Promise<boolean> => hasSharesWith(db, host),

    /** Whether a secret is or was the share's own. */
    async matchesSecret(shareId: string, secret: string): Promise<boolean> {
      const given = Buffer.from(hashSecret(secret))
      let same = false
      for (const hash of await selectSecretHashes(db, shareId)) {
        // All of them, so that the time says nothing.
        if (timingSafeEqual(Buffer.from(hash), given)) same = true
      }
      return same
    },

    async accepted(tx: Transaction, id: string): Promise<AnswerEffect> {
      const share = (await findShare(tx, id))?.share
      if (share?.state === 'declined') return 'conflict'
      // We took it back before we heard of this: the messages crossed.
      if (share === undefined || share.revokedAt !== null || share.state === 'accepted') {
        return 'same'
      }
      const respondedAt = clock.now()
      // Whoever answers has it, even if their answer to the notice itself was lost.
      const sentAt = share.sentAt ?? respondedAt
      await updateOutgoing(tx, id, { state: 'accepted', problem: null, sentAt, respondedAt })
      return 'changed'
    },

    /** Ends it as well, with all that was passed on; the recipient knows. */
    async declined(tx: Transaction, id: string): Promise<AnswerEffect> {
      const share = (await findShare(tx, id))?.share
      if (share === undefined || share.revokedAt !== null) return 'same'
      const now = clock.now()
      for (const child of await selectChildren(tx, id)) await revocation.end(tx, child)
      await revocation.oweInitiator(tx, share)
      await outbox.cancel(tx, id, ['share'])
      await revokeShareRows(tx, id, now)
      await updateOutgoing(tx, id, { state: 'declined', respondedAt: now })
      return 'changed'
    },
  }
}
