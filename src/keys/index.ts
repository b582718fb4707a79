/** keys: our signing keys through their life. */
export { signingAlgorithms, type SigningAlgorithm } from './algorithms.ts'
export { createKeys, type Keys, type KeysDeps, type MessageSigner } from './keys.ts'
export type { LegacySigner } from './legacy.ts'
export { hasSigningKeys, type SigningKey } from './queries.ts'
