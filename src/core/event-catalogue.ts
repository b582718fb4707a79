/**
 * Every business fact davmesh reports: what it says, and when. The type `Events` and the table in
 * docs/operations.md are made from this. No member ever carries a secret. `string?` may be
 * undefined; an array lists the only values there are. Events are logged at `info` unless they say
 * otherwise.
 */
export const eventCatalogue = {
  'user.added': {
    when: 'a user was made',
    says: { username: 'string' },
  },
  'user.disabled': {
    when: "a user and the user's shares are refused from now on",
    says: { username: 'string' },
  },
  'login.refused': {
    when: 'wrong password, unknown user, or too many failures; `username` only if there is such a user',
    says: { username: 'string?', reason: 'string' },
  },
  'limit.reached': {
    when: 'a budget of `limits` is used up: once in each window, for each that is refused by it',
    says: { limit: 'string', by: ['address', 'peer', 'share'], who: 'string' },
  },
  'credential.refused': {
    when: 'a presented credential opened nothing',
    says: { plugin: 'string', reason: 'string' },
  },
  'key.state-changed': {
    when: 'a key was generated, activated or retired',
    says: { kid: 'string', state: 'string' },
  },
  'peer.discovered': {
    when: 'a discovery document was read',
    says: { peer: 'string' },
  },
  'peer.refused': {
    when: 'discovery failed or its document cannot be used',
    says: { peer: 'string', reason: 'string' },
  },
  'share.created': {
    when: 'a share was recorded',
    says: { shareId: 'string', peer: 'string', strict: 'boolean' },
  },
  'share.sent': {
    when: 'the peer took it',
    says: { shareId: 'string', peer: 'string' },
  },
  'share.send-failed': {
    when: 'it did not; `davmesh share send ID` tries again',
    says: { shareId: 'string', peer: 'string', reason: 'string' },
  },
  'share.revoked': {
    when: 'a share ended, with all its tokens',
    says: { shareId: 'string' },
  },
  'access.exchanged': {
    when: 'a sender gave an access token for a received share, for so long',
    says: { incomingId: 'string', peer: 'string', seconds: 'number' },
  },
  'access.refused': {
    when: 'a received share cannot be opened; `received list` says so',
    says: { incomingId: 'string', peer: 'string', reason: 'string' },
  },
  'access.restored': {
    when: 'it can again',
    says: { incomingId: 'string', peer: 'string' },
  },
  'reshare.requested': {
    when: 'one of our users passes on what was received; its owner is asked',
    says: { reshareId: 'string', peer: 'string' },
  },
  'reshare.answered': {
    when: 'the owner granted or refused it',
    says: { reshareId: 'string', peer: 'string', answer: ['granted', 'refused'] },
  },
  'reshare.granted': {
    when: 'as the owner we granted one, for that peer',
    says: { shareId: 'string', peer: 'string' },
  },
  'reshare.undone': {
    when: 'who passed a share on took it back, here or there',
    says: { shareId: 'string', peer: 'string' },
  },
  'share.answered': {
    when: 'its recipient accepted or declined it',
    says: { shareId: 'string', peer: 'string', answer: 'string' },
  },
  'share.received': {
    when: 'a share for one of our users: `new`, `repeat` or `auto-accepted`',
    says: { incomingId: 'string', peer: 'string', outcome: ['new', 'repeat', 'auto-accepted'] },
  },
  'share.refused': {
    when: 'an offer of a share was refused; `peer` only once it was proven',
    says: { peer: 'string?', reason: 'string' },
  },
  'share.ended': {
    when: 'a received share ended, by its `sender` or its `recipient`',
    says: { incomingId: 'string', by: ['sender', 'recipient'] },
  },
  'notification.received': {
    when: 'a peer said what became of a share',
    says: { type: 'string', peer: 'string', outcome: 'string' },
  },
  'notification.refused': {
    when: 'and was not believed, or not understood',
    says: { peer: 'string?', reason: 'string' },
  },
  'outbox.delivered': {
    when: 'a message that was owed has arrived',
    says: { id: 'string', kind: 'string', peer: 'string', attempts: 'number' },
  },
  'outbox.delayed': {
    when: 'it has not, and will be sent again',
    says: { id: 'string', kind: 'string', peer: 'string', attempts: 'number', reason: 'string' },
  },
  'outbox.refused': {
    when: 'a final no; `davmesh outbox` has it',
    says: { id: 'string', kind: 'string', peer: 'string', attempts: 'number', reason: 'string' },
  },
  'peer.rested': {
    when: 'it failed five times or more in a row and is left alone for so long',
    says: { peer: 'string', seconds: 'number' },
  },
  'invite.created': {
    when: 'a user made an invite',
    says: { inviteId: 'string' },
  },
  'invite.accepted': {
    when: 'somebody there used it',
    says: { inviteId: 'string', peer: 'string' },
  },
  'invite.refused': {
    when: 'somebody there brought an invite that is used, or none',
    says: { peer: 'string?', reason: 'string' },
  },
  'contact.added': {
    when: 'a user has a contact',
    says: { address: 'string' },
  },
  'contact.removed': {
    when: 'and has it no more',
    says: { address: 'string' },
  },
  'peer.trust-changed': {
    when: 'the operator allowed or denied a peer',
    says: { peer: 'string', trust: 'string' },
  },
  'federation.reloaded': {
    when: '`federation` of the changed configuration is in force',
    says: {},
  },
  'log.level-changed': {
    when: '`log.level` of the changed configuration is in force',
    says: { level: 'string' },
  },
  'token.issued': {
    when: 'an access token was recorded and sent',
    says: { jti: 'string', shareId: 'string', peer: 'string' },
  },
  'token.refused': {
    when: 'a token request was refused',
    says: { reason: 'string' },
  },
  'token.revoked': {
    when: 'one access token ended',
    says: { jti: 'string' },
  },
  'signature.refused': {
    when: 'a message signature was missing or wrong',
    says: { reason: 'string', peer: 'string?' },
  },
  'signature.verified': {
    when: 'a peer proved that a message is its own',
    says: { peer: 'string' },
    level: 'debug',
  },
} as const satisfies Readonly<Record<string, EventDescription>>

type Kind = 'string' | 'string?' | 'number' | 'boolean' | readonly string[]

/** One event of the catalogue. */
export interface EventDescription {
  readonly when: string
  readonly says: Readonly<Record<string, Kind>>
  readonly level?: 'debug'
}
