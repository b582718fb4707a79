/** shares: what we give (outgoing), and the rules. */
export { createOutgoingAnswers, type OutgoingAnswers } from './answers.ts'
export {
  createAccessStore,
  type AccessChange,
  type AccessStore,
  type ShareAccess,
} from './incoming/access.ts'
export { createIncomingShares, type IncomingShares } from './incoming/incoming.ts'
export { offerSchema, receiptSchema } from './incoming/wire.ts'
export type { IncomingShare } from './incoming/incoming-share.ts'
export type { IncomingSharesDeps } from './incoming/deps.ts'
export type { Mount } from './incoming/mounts.ts'
export type { OutgoingShare } from './outgoing-share.ts'
export { parsePermissions, type SharePermission } from './permissions.ts'
export type { ExchangeMode } from './preflight.ts'
export { createSharePaths } from './paths.ts'
export { ReshareError } from './reshares/errors.ts'
export { createGrants, type Grants } from './reshares/grants.ts'
export type { AskedReshare } from './reshares/queries.ts'
export { isReshareId, type Reshare } from './reshares/reshare.ts'
export { createReshares, type Reshares } from './reshares/reshares.ts'
export { tellSoon } from './revocation.ts'
export { isShareId } from './share-id.ts'
export {
  createShares,
  type LiveShare,
  type NewShare,
  type Shares,
  type SharesDeps,
} from './shares.ts'
