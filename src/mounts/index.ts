/** mounts: what other servers share with our users, as files in their own trees. */
export { createAccess, type Access } from './access/access.ts'
export { createMounts, type Mounts, type MountsDeps } from './mounts.ts'
export { createRemoteTree } from './remote/remote-tree.ts'
export { createViewStore } from './remote/views.ts'
export type { Trouble } from './troubles-of.ts'
