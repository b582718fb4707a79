import { epochSeconds, type Clock, type EventHub } from '../core/index.ts'
import {
  inspectSignature,
  isDigestProblem,
  verifySignature,
  type InspectedSignature,
} from '../http-signatures/index.ts'
import { keyIdAuthority, type Peers } from '../peers/index.ts'
import { TokenError } from './errors.ts'

/** A token request as it arrived. */
export interface ReceivedTokenRequest {
  readonly method: string
  /** `publicUrl` plus the raw request target. */
  readonly targetUri: string
  readonly rawHeaders: readonly string[]
  readonly body: Uint8Array
}

export interface ClientDeps {
  clock: Clock
  events: EventHub
  peers: Pick<Peers, 'findKey' | 'getPeer'>
  policy: {
    maxAgeSeconds: number
    maxSkewSeconds: number
    /** Draft-05 signatures are read too. */
    legacy: boolean
    /** Unsigned requests are refused from everybody. */
    requireSignatures: boolean
    /** Key ids may be plain-http URLs (dev only). */
    allowHttp: boolean
  }
}

/**
 * Who asks for a token: the server whose key signed the request. Peers that do not sign at all are
 * let through only if they never said they would (OCM, "Applicability").
 */
export function createClientAuthentication({ clock, events, peers, policy }: ClientDeps) {
  function refuse(reason: string, peer: string | undefined): TokenError {
    events.emit('signature.refused', { reason, peer })
    const detail = { reason }
    if (isDigestProblem(reason) || reason === 'length_mismatch') {
      const message = 'the body does not match Content-Digest and Content-Length'
      return new TokenError('invalid_request', message, { detail })
    }
    return new TokenError('invalid_client', 'the request signature is not valid', { detail })
  }

  return {
    /**
     * Every check that needs no network. `undefined` means unsigned.
     *
     * @throws TokenError `invalid_client`; `invalid_request` when the body was altered.
     */
    inspect(request: ReceivedTokenRequest): InspectedSignature | undefined {
      const inspection = inspectSignature(request, {
        nowSeconds: epochSeconds(clock),
        maxAgeSeconds: policy.maxAgeSeconds,
        maxSkewSeconds: policy.maxSkewSeconds,
        acceptUntagged: policy.legacy,
      })
      switch (inspection.status) {
        case 'unsigned':
          if (policy.requireSignatures) throw refuse('unsigned', undefined)
          return undefined
        case 'refused':
          throw refuse(inspection.reason, undefined)
        case 'inspected':
          return inspection.signature
      }
    },

    /**
     * Proves that `clientId` signed.
     *
     * @throws TokenError `invalid_client`; PeerError `keys_unreachable`, `peer_denied`.
     */
    async verify(signature: InspectedSignature, clientId: string): Promise<void> {
      // Only the server named in the body is asked for a key, never one the sender points to.
      if (keyIdAuthority(signature.keyId, policy.allowHttp) !== clientId) {
        throw refuse('keyid_of_another_server', clientId)
      }
      const found = await peers.findKey(clientId, signature.keyId)
      if (found.status !== 'found') throw refuse(`key_${found.status}`, clientId)
      const verdict = verifySignature(signature, found.jwk)
      if (!verdict.ok) throw refuse(verdict.reason, clientId)
    },

    /**
     * Lets an unsigned request of a share's own recipient pass, unless that peer signs.
     *
     * @throws TokenError `invalid_client`.
     */
    async acceptUnsigned(recipientHost: string): Promise<void> {
      const { discovery } = await peers.getPeer(recipientHost)
      if (discovery.capabilities.includes('http-sig')) {
        throw refuse('unsigned_from_signing_peer', recipientHost)
      }
    },
  }
}
