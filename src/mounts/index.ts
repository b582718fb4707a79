/** mounts: what other servers share with our users, as files in their own trees. */
export { MountError } from './errors.ts'
export { createMounts, type Mounts, type MountsDeps } from './mounts.ts'
