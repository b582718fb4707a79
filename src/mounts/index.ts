/** mounts: what others share with our users, as folders of theirs. */
export { createAccess, type Access } from './access/access.ts'
