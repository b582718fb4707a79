/** invites: who knows whom on other servers, and how they came to. */
export { type Contact, type Contacts } from './contacts.ts'
export { inviteAcceptanceSchema, inviteIdentitySchema } from './wire.ts'
export { createInvites, type Invite, type Invites, type InvitesDeps } from './invites.ts'
