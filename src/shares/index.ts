/** shares: what we give (outgoing), and the rules. */
export type { OutgoingShare } from './outgoing-share.ts'
export { parsePermissions, type SharePermission } from './permissions.ts'
export type { ExchangeMode } from './preflight.ts'
export { createSharePaths } from './paths.ts'
export { isShareId } from './share-id.ts'
export {
  createShares,
  type LiveShare,
  type NewShare,
  type Shares,
  type SharesDeps,
} from './shares.ts'
