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
  'token.issued': { jti: string; shareId: string; peer: string }
  'token.refused': { reason: string }
  'token.revoked': { jti: string }
  'signature.refused': { reason: string; peer: string | undefined }
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
