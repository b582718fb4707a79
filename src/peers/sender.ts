import { LRUCache } from 'lru-cache'
import { AppError, epochSeconds, type Clock, type EventHub, type Limiter } from '../core/index.ts'
import {
  inspectCavage,
  inspectSignature,
  isDigestProblem,
  verifyCavage,
  verifySignature,
  type InspectedCavage,
  type InspectedSignature,
} from '../http-signatures/index.ts'
import type { HttpMessage } from '../http/index.ts'
import { keyIdAuthority } from './key-id.ts'
import type { Peer, Peers } from './peers.ts'

/** A message to one of our OCM endpoints, as it arrived. */
export type ReceivedMessage = HttpMessage

/** What its signature says, before any key was looked at. */
export type InspectedSender =
  | {
      readonly scheme: 'rfc9421'
      readonly host: string
      readonly signature: InspectedSignature
    }
  | {
      readonly scheme: 'cavage'
      readonly host: string
      readonly signature: InspectedCavage
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
  peers: Pick<Peers, 'findKey' | 'getPeer' | 'renew'>
  policy(): SenderPolicy
}

export type SenderCheck = ReturnType<typeof createSenderCheck>

/** A legacy key that fits no signature makes us ask its peer again, at most this often. */
const renewMs = 30_000

/**
 * Who sent a message: the server whose key signed it. Peers that do not sign at all are let through
 * only if they never said they would (OCM, "Applicability").
 */
export function createSenderCheck({ clock, events, peers, policy }: SenderCheckDeps) {
  const renewals = new LRUCache<string, { at: number; peer: Promise<Peer> }>({ max: 1000 })

  function refuse(reason: string, peer: string | undefined): SenderError {
    events.emit('signature.refused', { reason, peer })
    if (isDigestProblem(reason) || reason === 'length_mismatch') {
      const message = 'the body does not match Content-Digest and Content-Length'
      return new SenderError('body_altered', message, reason)
    }
    const code = reason === 'unsigned' ? 'signature_required' : 'signature_refused'
    return new SenderError(code, 'the request signature is not valid', reason)
  }

  /** The server that a key id names; a signature of nobody in particular proves nothing. */
  function signerOf(keyId: string): string {
    const host = keyIdAuthority(keyId, policy().allowHttp)
    if (host === undefined) throw refuse('keyid_malformed', undefined)
    return host
  }

  function inspectLegacy(message: ReceivedMessage): InspectedSender {
    const { legacy, requireSignatures, maxAgeSeconds, maxSkewSeconds } = policy()
    const inspection = legacy
      ? inspectCavage(message, { nowSeconds: epochSeconds(clock), maxAgeSeconds, maxSkewSeconds })
      : ({ status: 'unsigned' } as const)
    switch (inspection.status) {
      case 'unsigned':
        if (requireSignatures) throw refuse('unsigned', undefined)
        return { scheme: 'none' }
      case 'refused':
        throw refuse(inspection.reason, undefined)
      case 'inspected': {
        const { signature } = inspection
        return { scheme: 'cavage', host: signerOf(signature.keyId), signature }
      }
    }
  }

  /** One answer serves everybody who asks within half a minute. */
  function renew(host: string): Promise<Peer> {
    const last = renewals.get(host)
    if (last !== undefined && clock.now() - last.at < renewMs) return last.peer
    const peer = peers.renew(host)
    renewals.set(host, { at: clock.now(), peer })
    return peer
  }

  /** Peers change this key in their discovery document, which we may remember too long. */
  async function verifyLegacy(signature: InspectedCavage, host: string): Promise<void> {
    let reason = judgeLegacy(signature, await peers.getPeer(host))
    if (reason !== undefined && reason !== downgraded) {
      reason = judgeLegacy(signature, await renew(host))
    }
    if (reason !== undefined) throw refuse(reason, host)
  }

  return {
    /**
     * Every check that needs no network.
     *
     * @throws SenderError `signature_refused`, `signature_required`, `body_altered`.
     */
    inspect(message: ReceivedMessage): InspectedSender {
      const { maxAgeSeconds, maxSkewSeconds, legacy } = policy()
      const inspection = inspectSignature(message, {
        nowSeconds: epochSeconds(clock),
        maxAgeSeconds,
        maxSkewSeconds,
        acceptUntagged: legacy,
      })
      switch (inspection.status) {
        case 'unsigned':
          return inspectLegacy(message)
        case 'refused':
          throw refuse(inspection.reason, undefined)
        case 'inspected': {
          const { signature } = inspection
          return { scheme: 'rfc9421', host: signerOf(signature.keyId), signature }
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
      if (inspected.scheme === 'cavage') {
        await verifyLegacy(inspected.signature, host)
        events.emit('signature.verified', { peer: host })
        return { host, verified: true }
      }
      const { signature } = inspected
      const found = await peers.findKey(host, signature.keyId)
      if (found.status !== 'found') throw refuse(`key_${found.status}`, host)
      const verdict = verifySignature(signature, found.jwk)
      if (!verdict.ok) throw refuse(verdict.reason, host)
      events.emit('signature.verified', { peer: host })
      return { host, verified: true }
    },
  }
}

/**
 * The same, for so many messages of each peer. Only who has proven who it is counts for its host:
 * nobody can use up what is another's.
 */
export const limitSender = (sender: SenderCheck, limiter: Limiter): SenderCheck => ({
  ...sender,
  async authenticate(inspected, host) {
    const found = await sender.authenticate(inspected, host)
    if (found.verified) await limiter.spend(host)
    return found
  },
})

const downgraded = 'legacy_from_signing_peer'

/** Why a legacy signature is not that of the peer; `undefined`: it is. */
function judgeLegacy(signature: InspectedCavage, { discovery }: Peer): string | undefined {
  if (discovery.capabilities.includes('http-sig')) return downgraded
  const { publicKey } = discovery
  if (publicKey?.keyId !== signature.keyId) return 'key_missing'
  const verdict = verifyCavage(signature, publicKey.pem)
  return verdict.ok ? undefined : verdict.reason
}
