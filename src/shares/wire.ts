import type { Discovery } from '../peers/index.ts'
import type { SharePermission } from './permissions.ts'

/** Which spelling of `POST /shares` a peer understands. */
export type PayloadShape = 'multi' | 'strict' | 'classic'

/** What a Share Creation Notification says, in our words. */
export interface ShareNotice {
  readonly shareId: string
  readonly recipient: string
  readonly owner: string
  readonly ownerDisplayName: string
  readonly senderDisplayName: string
  readonly name: string
  readonly resourceType: 'file' | 'folder'
  readonly permissions: readonly SharePermission[]
  readonly strict: boolean
  readonly expiresAt: number | null
  readonly refreshToken: string
  /** Absolute URL of the share by id. */
  readonly url: string
}

/** The shape to try first, from what the peer says of itself. */
export function choosePayloadShape(discovery: Discovery): PayloadShape {
  const { criteria, capabilities, provider = '', apiVersion } = discovery
  if (criteria.includes('must-use-http-sig') && criteria.includes('must-exchange-token')) {
    return 'strict'
  }
  if (/^nextcloud/i.test(provider) || apiVersion === '1.0-proposal1') return 'classic'
  if (capabilities.includes('protocol-object')) return 'multi'
  const [major = 0, minor = 0] = apiVersion.split('.').map(Number)
  return provider !== '' && (major > 1 || (major === 1 && minor >= 2)) ? 'multi' : 'classic'
}

export const otherShape = (shape: PayloadShape): PayloadShape =>
  shape === 'classic' ? 'multi' : 'classic'

/** OCM, "Fields" of the Share Creation Notification, spelt for one peer. */
export function writeShareNotice(
  notice: ShareNotice,
  shape: PayloadShape,
  discovery: Discovery,
): Record<string, unknown> {
  const { owner, ownerDisplayName, senderDisplayName } = notice
  const sender = { sender: owner, senderDisplayName }
  const classic = { sharedBy: owner, sharedByDisplayName: senderDisplayName }
  return {
    shareWith: notice.recipient,
    name: notice.name,
    ...(shape !== 'strict' && { description: '' }),
    providerId: notice.shareId,
    owner,
    ownerDisplayName,
    ...sender,
    ...(shape === 'classic' && classic),
    shareType: 'user',
    resourceType: advertisedType(notice, discovery),
    ...(notice.expiresAt !== null && { expiration: Math.floor(notice.expiresAt / 1000) }),
    protocol: writeProtocol(notice, shape, discovery),
  }
}

/** Peers without the `folder` type open folders that are announced as files. */
function advertisedType(notice: ShareNotice, { resourceTypes }: Discovery): string {
  const known = resourceTypes.some(({ name }) => name === notice.resourceType)
  return known ? notice.resourceType : 'file'
}

function writeProtocol(
  notice: ShareNotice,
  shape: PayloadShape,
  { resourceTypes }: Discovery,
): Record<string, unknown> {
  const sharedSecret = notice.refreshToken
  const requirements = notice.strict ? { requirements: ['must-exchange-token'] } : {}
  const relative = resourceTypes.some(({ webdavReceive }) => webdavReceive === 'relative')
  const uri = relative && shape !== 'classic' ? notice.shareId : notice.url
  const webdav = { uri, sharedSecret, permissions: notice.permissions, ...requirements }
  if (shape !== 'classic') return { name: 'multi', webdav }
  const ask = '{http://open-cloud-mesh.org/ns}share-permissions'
  return { name: 'webdav', options: { sharedSecret, permissions: ask, ...requirements }, webdav }
}
