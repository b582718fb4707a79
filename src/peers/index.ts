/** peers: a host becomes a discovered, trusted `Peer` with keys and a profile. */
export type { Discovery, PeerResourceType } from './discovery-document.ts'
export { describeAnswer, judgeAnswer } from './judge-answer.ts'
export { keyIdAuthority } from './key-id.ts'
export { formatOcmAddress, parseOcmAddress, type OcmAddress } from './ocm-address.ts'
export {
  createPeers,
  parseHost,
  type Peer,
  type Peers,
  type PeersDeps,
  type RememberedPeer,
} from './peers.ts'
export {
  createFederationPolicy,
  isListed,
  type FederationPolicy,
  type FederationPolicyHolder,
  type PeerTrust,
} from './policy.ts'
export type { PeerAnswer } from './post.ts'
export {
  createSenderCheck,
  limitSender,
  SenderError,
  type InspectedSender,
  type ReceivedMessage,
  type Sender,
  type SenderCheck,
} from './sender.ts'
