/** What is fixed about one signature algorithm, on the wire and in a key. */
export interface AlgorithmFacts {
  /** JWK `alg` spellings; the first is the one to publish (RFC 9864 for Ed25519). */
  readonly jose: readonly [string, ...string[]]
  readonly kty: 'OKP' | 'EC' | 'RSA'
  /** JWK `crv`; RSA keys have none. */
  readonly crv?: string
  /** Digest name of node:crypto; Ed25519 hashes by itself. */
  readonly hash?: 'sha256' | 'sha384' | 'sha512'
  /** Exact length of a signature in bytes; RSA signatures are as long as the modulus. */
  readonly signatureBytes?: number
}

/**
 * The algorithms we sign and verify with, by their HTTP-signature registry name (RFC 9421 §6.2.2).
 * `rsa-v1_5-sha384` and `-sha512` are not registered, but OCM peers use them. No symmetric algorithm
 * may ever enter: a peer's published key would become a secret (RFC 9421 §7.3.6).
 */
export const signatureAlgorithms = {
  ed25519: { jose: ['Ed25519', 'EdDSA'], kty: 'OKP', crv: 'Ed25519', signatureBytes: 64 },
  'ecdsa-p256-sha256': {
    jose: ['ES256'],
    kty: 'EC',
    crv: 'P-256',
    hash: 'sha256',
    signatureBytes: 64,
  },
  'ecdsa-p384-sha384': {
    jose: ['ES384'],
    kty: 'EC',
    crv: 'P-384',
    hash: 'sha384',
    signatureBytes: 96,
  },
  'rsa-v1_5-sha256': { jose: ['RS256'], kty: 'RSA', hash: 'sha256' },
  'rsa-v1_5-sha384': { jose: ['RS384'], kty: 'RSA', hash: 'sha384' },
  'rsa-v1_5-sha512': { jose: ['RS512'], kty: 'RSA', hash: 'sha512' },
} as const satisfies Readonly<Record<string, AlgorithmFacts>>

/** An HTTP-signature registry name, the value of the `alg` signature parameter. */
export type SignatureAlgorithm = keyof typeof signatureAlgorithms

/** Whether a text is exactly one of our registry names; JOSE names are not (RFC 9421 §2.3). */
export function isSignatureAlgorithm(name: string): name is SignatureAlgorithm {
  return Object.hasOwn(signatureAlgorithms, name)
}

/**
 * The algorithm a JWK `alg` names, `undefined` for any other.
 * Case is ignored because peers publish `eddsa` and `es256`.
 */
export function findAlgorithm(jwkAlg: string): SignatureAlgorithm | undefined {
  return byJoseName.get(jwkAlg.toLowerCase())
}

const byJoseName = new Map<string, SignatureAlgorithm>(
  Object.entries(signatureAlgorithms).flatMap(([name, { jose }]) =>
    isSignatureAlgorithm(name) ? jose.map((spelling) => [spelling.toLowerCase(), name]) : [],
  ),
)
