import type { OcmAddress } from '../../peers/index.ts'
import type { SharePermission } from '../permissions.ts'

/** What somebody offers one of our users, in our words. */
export interface ShareOffer {
  readonly providerId: string
  readonly name: string
  readonly resourceType: 'file' | 'folder'
  readonly recipient: OcmAddress
  readonly sender: OcmAddress
  readonly owner: OcmAddress
  readonly senderName: string | null
  readonly ownerName: string | null
  /** Epoch milliseconds. */
  readonly expiresAt: number | null
  /** Null: the sender did not say; its WebDAV does. */
  readonly permissions: SharePermission[] | null
  /** Only access tokens open it. */
  readonly strict: boolean
  /** `named`: Bearer; `options`: the old form, Basic. */
  readonly form: 'named' | 'options'
  /** An absolute URL on the sender's authority, or an id below its WebDAV root; null: the root. */
  readonly uri: string | null
  readonly secret: string
  /** What is exchanged in place of the secret, where it differs. */
  readonly code: string | null
}

export interface OfferContext {
  /** `host[:port]` of this server. */
  readonly authority: string
  /** The sender's WebDAV may be on plain http (dev only). */
  readonly allowHttp: boolean
  readonly now: number
}
