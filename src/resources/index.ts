/** resources: what clients say of files beside their content, by the owner's tree and path. */
export { createResources, type Resources, type ResourcesDeps } from './resources.ts'
export type { Change, Look } from './changes/change.ts'
export type { Follower } from './changes/settle.ts'
export type { Lock, LockHolder, LockRequest } from './locks/lock.ts'
export type { LockOutcome } from './locks/locks.ts'
export type { ResourcePlace } from './place.ts'
