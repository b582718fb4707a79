import { sign, type KeyObject } from 'node:crypto'

/** The algorithms we sign with; JOSE names, as in the JWK's `alg` (RFC 9864, RFC 7518 §3.4). */
export const signingAlgorithms = ['Ed25519', 'ES256'] as const
export type SigningAlgorithm = (typeof signingAlgorithms)[number]

/** Names of the HTTP Signature Algorithms registry (RFC 9421 §6.2). */
export type HttpAlgorithm = 'ed25519' | 'ecdsa-p256-sha256'

interface AlgorithmFacts {
  readonly httpName: HttpAlgorithm
  /** A raw signature over `data`; ECDSA as r‖s (RFC 9421 §3.3.4). */
  sign(data: Uint8Array, key: KeyObject): Uint8Array
}

export const algorithmFacts: Record<SigningAlgorithm, AlgorithmFacts> = {
  Ed25519: { httpName: 'ed25519', sign: (data, key) => sign(null, data, key) },
  ES256: {
    httpName: 'ecdsa-p256-sha256',
    sign: (data, key) => sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  },
}
