/** http-signatures: RFC 9421 and RFC 9530, and the older draft-cavage; pure, knows nothing of OCM peers, Express or databases. */
export {
  findAlgorithm,
  signatureAlgorithms,
  type AlgorithmFacts,
  type SignatureAlgorithm,
} from './algorithms.ts'
export { inspectCavage, type CavageInspection, type InspectedCavage } from './cavage.ts'
export { signCavage, verifyCavage, type CavageSigner } from './cavage-key.ts'
export {
  contentDigest,
  isDigestProblem,
  verifyContentDigest,
  type DigestProblem,
  type DigestVerdict,
} from './digest.ts'
export {
  inspectSignature,
  type InspectedSignature,
  type Inspection,
  type InspectionPolicy,
  type ReceivedRequest,
  type RefusalReason,
} from './inspect.ts'
export { findKey, type FoundKey, type Jwk } from './jwk.ts'
export {
  signRequest,
  type RequestSigner,
  type SignatureHeaders,
  type SigningOptions,
  type UnsignedRequest,
} from './sign.ts'
export { verifySignature, type Verdict, type VerificationProblem } from './verify.ts'
