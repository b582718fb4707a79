import { AppError, epochSeconds, type Clock, type EventHub } from '../core/index.ts'
import {
  inspectSignature,
  isDigestProblem,
  verifySignature,
  type InspectedSignature,
} from '../http-signatures/index.ts'
import { keyIdAuthority } from './key-id.ts'
import type { Peers } from './peers.ts'

/** A message to one of our OCM endpoints, as it arrived. */
export interface ReceivedMessage {
  readonly method: string
  /** `publicUrl` plus the raw request target. */
  readonly targetUri: string
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
}

/** What its signature says, before any key was looked at. */
export type InspectedSender =
  | {
      readonly scheme: 'rfc9421'
      readonly host: string | undefined
      readonly signature: InspectedSignature
    }
  | { readonly scheme: 'none' }

/** Who sent it. */
export interface Sender {
  readonly host: string
  /** False: only claimed, by a peer that does not sign. */
  readonly verified: boolean
}

const kinds = {
  signature_required: 'unauthenticated',
  signature_refused: 'unauthenticated',
  body_altered: 'invalid',
  identity_mismatch: 'forbidden',
} as const

export class SenderError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string, reason: string) {
    super(kinds[code], code, message, { detail: { reason } })
  }
}

export interface SenderPolicy {
  readonly maxAgeSeconds: number
  readonly maxSkewSeconds: number
  /** Draft-05 and draft-cavage signatures are read too. */
  readonly legacy: boolean
  /** Unsigned messages are refused from everybody. */
  readonly requireSignatures: boolean
  /** Key ids may be plain-http URLs (dev only). */
  readonly allowHttp: boolean
}

export interface SenderCheckDeps {
  clock: Clock
  events: EventHub
  peers: Pick<Peers, 'findKey' | 'getPeer'>
  policy(): SenderPolicy
}

export type SenderCheck = ReturnType<typeof createSenderCheck>

/**
 * Who sent a message: the server whose key signed it. Peers that do not sign at all are let through
 * only if they never said they would (OCM, "Applicability").
 */
export function createSenderCheck({ clock, events, peers, policy }: SenderCheckDeps) {
  function refuse(reason: string, peer: string | undefined): SenderError {
    events.emit('signature.refused', { reason, peer })
    if (isDigestProblem(reason) || reason === 'length_mismatch') {
      const message = 'the body does not match Content-Digest and Content-Length'
      return new SenderError('body_altered', message, reason)
    }
    const code = reason === 'unsigned' ? 'signature_required' : 'signature_refused'
    return new SenderError(code, 'the request signature is not valid', reason)
  }

  return {
    /**
     * Every check that needs no network.
     *
     * @throws SenderError `signature_refused`, `signature_required`, `body_altered`.
     */
    inspect(message: ReceivedMessage): InspectedSender {
      const { maxAgeSeconds, maxSkewSeconds, legacy, requireSignatures, allowHttp } = policy()
      const inspection = inspectSignature(message, {
        nowSeconds: epochSeconds(clock),
        maxAgeSeconds,
        maxSkewSeconds,
        acceptUntagged: legacy,
      })
      switch (inspection.status) {
        case 'unsigned':
          if (requireSignatures) throw refuse('unsigned', undefined)
          return { scheme: 'none' }
        case 'refused':
          throw refuse(inspection.reason, undefined)
        case 'inspected': {
          const { signature } = inspection
          return { scheme: 'rfc9421', host: keyIdAuthority(signature.keyId, allowHttp), signature }
        }
      }
    },

    /**
     * Proves that `host`, which the message names, sent it. Only that host is asked for a key, never
     * one that a header points to.
     *
     * @throws SenderError; PeerError `peer_denied`, `keys_unreachable`, `peer_unreachable`.
     */
    async authenticate(inspected: InspectedSender, host: string): Promise<Sender> {
      if (inspected.scheme === 'none') {
        const { discovery } = await peers.getPeer(host)
        if (!discovery.capabilities.includes('http-sig')) return { host, verified: false }
        throw refuse('unsigned_from_signing_peer', host)
      }
      if (inspected.host !== host) {
        events.emit('signature.refused', { reason: 'keyid_of_another_server', peer: host })
        const message = 'the signature is not of the server that the message names'
        throw new SenderError('identity_mismatch', message, 'keyid_of_another_server')
      }
      const { signature } = inspected
      const found = await peers.findKey(host, signature.keyId)
      if (found.status !== 'found') throw refuse(`key_${found.status}`, host)
      const verdict = verifySignature(signature, found.jwk)
      if (!verdict.ok) throw refuse(verdict.reason, host)
      return { host, verified: true }
    },
  }
}
