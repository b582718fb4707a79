/** users: local people and their app passwords. */
export type { LoginOutcome } from './login.ts'
export { createUsers, type NewUser, type User, type Users, type UsersDeps } from './users.ts'
