/** users: local people and their app passwords. */
export { UserError } from './errors.ts'
export type { LoginOutcome } from './login.ts'
export { createUsers, type NewUser, type User, type Users, type UsersDeps } from './users.ts'
