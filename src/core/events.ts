import { EventEmitter } from 'node:events'

/**
 * Every business fact davmesh reports, with what it says. The names are the operator's catalogue;
 * no field ever carries a secret.
 */
export interface Events {
  'user.added': { username: string }
  'user.disabled': { username: string }
  /** `username` only when there is such a user. */
  'login.refused': { username: string | undefined; reason: string }
  'key.state-changed': { kid: string; state: string }
  'peer.discovered': { peer: string }
  'peer.refused': { peer: string; reason: string }
  'share.created': { shareId: string; peer: string; strict: boolean }
  'share.sent': { shareId: string; peer: string }
  'share.send-failed': { shareId: string; peer: string; reason: string }
  'share.revoked': { shareId: string }
  'share.answered': { shareId: string; peer: string; answer: string }
  'share.received': {
    incomingId: string
    peer: string
    outcome: 'new' | 'repeat' | 'auto-accepted'
  }
  'share.refused': { peer: string | undefined; reason: string }
  'share.ended': { incomingId: string; by: 'sender' | 'recipient' }
  'access.exchanged': { incomingId: string; peer: string; seconds: number }
  'access.refused': { incomingId: string; peer: string; reason: string }
  'access.restored': { incomingId: string; peer: string }
  'reshare.requested': { reshareId: string; peer: string }
  'reshare.answered': { reshareId: string; peer: string; answer: 'granted' | 'refused' }
  'reshare.granted': { shareId: string; peer: string }
  'reshare.undone': { shareId: string; peer: string }
  'notification.received': { type: string; peer: string; outcome: string }
  'notification.refused': { peer: string | undefined; reason: string }
  'outbox.delivered': { id: string; kind: string; peer: string; attempts: number }
  'outbox.delayed': { id: string; kind: string; peer: string; attempts: number; reason: string }
  'outbox.refused': { id: string; kind: string; peer: string; attempts: number; reason: string }
  'invite.created': { inviteId: string }
  'invite.accepted': { inviteId: string; peer: string }
  'invite.refused': { peer: string | undefined; reason: string }
  'contact.added': { address: string }
  'contact.removed': { address: string }
  'peer.rested': { peer: string; seconds: number }
  'peer.trust-changed': { peer: string; trust: string }
  'federation.reloaded': Record<string, never>
  'token.issued': { jti: string; shareId: string; peer: string }
  'token.refused': { reason: string }
  'token.revoked': { jti: string }
  'signature.refused': { reason: string; peer: string | undefined }
  /** Once in each window, for each address, peer or share that is refused by it. */
  'limit.reached': { limit: string; by: 'address' | 'peer' | 'share'; who: string }
  'credential.refused': { plugin: string; reason: string }
}

/** One typed hub: rooms emit, the log and (later) metrics listen. */
export interface EventHub {
  emit<Name extends keyof Events>(name: Name, fact: Events[Name]): void
  onAny(listener: (name: keyof Events, fact: Events[keyof Events]) => void): void
}

export function createEventHub(): EventHub {
  const emitter = new EventEmitter()
  return {
    emit: (name, fact) => void emitter.emit('event', name, fact),
    onAny: (listener) => void emitter.on('event', listener),
  }
}
