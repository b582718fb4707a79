import { authorityOf, parseAuthority } from '../../core/index.ts'
import { permissions as knownPermissions, type SharePermission } from '../permissions.ts'
import { badMember, unsupported } from './errors.ts'
import type { OfferContext, ShareOffer } from './share-offer.ts'
import type { ProtocolWire } from './wire.ts'

type Access = Pick<ShareOffer, 'permissions' | 'strict' | 'form' | 'uri' | 'secret' | 'code'>

/**
 * How to reach what is shared: `protocol.webdav` where there is one, else the `options` of the old
 * form. Other protocols beside them are not our concern.
 *
 * @throws ValidationError, IncomingError `unsupported_offer`.
 */
export function readProtocol(
  protocol: ProtocolWire,
  code: string | null | undefined,
  senderHost: string,
  context: OfferContext,
): Access {
  const { webdav: arm } = protocol
  const options = Array.isArray(protocol.options) ? undefined : protocol.options
  if (arm == null && protocol.name !== 'webdav') throw unsupported('This protocol')
  if (arm?.accessTypes != null && !arm.accessTypes.includes('remote')) {
    throw unsupported('Access other than remote')
  }
  const secretAt = arm == null ? 'protocol.options.sharedSecret' : 'protocol.webdav.sharedSecret'
  const secret = arm?.sharedSecret || options?.sharedSecret || code
  if (!secret) throw badMember(secretAt, 'is required')
  if (!isSecret(secret)) throw badMember(secretAt, 'must be printable ASCII')
  if (code && !isSecret(code)) throw badMember('code', 'must be printable ASCII')
  const requirements = [...(arm?.requirements ?? []), ...(options?.requirements ?? [])]
  if (requirements.some((one) => one !== 'must-exchange-token')) {
    throw unsupported('A requirement of this share')
  }
  return {
    form: arm == null ? 'options' : 'named',
    uri: readUri(arm?.uri ?? arm?.url ?? arm?.URI, senderHost, context),
    secret,
    code: code && code !== secret ? code : null,
    permissions: arm?.permissions == null ? null : readPermissions(arm.permissions),
    strict: requirements.length > 0,
  }
}

const isSecret = (text: string): boolean => /^[\x21-\x7e]+$/.test(text)

/** Those we know, in the order sent; `write` and `share` include `read`. */
function readPermissions(sent: readonly unknown[]): SharePermission[] {
  const known = sent.flatMap((word) => knownPermissions.filter((permission) => permission === word))
  const implied = known.length > 0 && !known.includes('read') ? (['read'] as const) : []
  return [...new Set([...implied, ...known])]
}

function readUri(
  text: string | null | undefined,
  senderHost: string,
  context: OfferContext,
): string | null {
  if (text == null || text === '') return null
  return /^[a-z][a-z0-9+.-]*:/i.test(text)
    ? readAbsolute(text, senderHost, context)
    : readRelative(text)
}

const badUri = () => badMember('protocol.webdav.uri', 'must lead to the server of the sender')

function readAbsolute(
  text: string,
  senderHost: string,
  { authority, allowHttp }: OfferContext,
): string | null {
  if (!URL.canParse(text) || /[#\\\s]/.test(text)) throw badUri()
  const url = new URL(text)
  const secure = url.protocol === 'https:' || (allowHttp && url.protocol === 'http:')
  if (!secure || url.username !== '' || url.password !== '') throw badUri()
  const scheme = url.protocol === 'https:' ? 'https' : 'http'
  const at = authorityOf(url)
  if (at === parseAuthority(senderHost, scheme)) return url.href
  // ocmgo resolves its own relative id against the recipient.
  if (at === parseAuthority(authority, scheme)) {
    return readRelative(url.pathname.replace(/\/+$/, '').split('/').at(-1) ?? '')
  }
  throw badUri()
}

/** Dots in any spelling that a URL parser takes for a step up. */
const step = /(^|\/)(\.|%2e){1,2}(\/|$)/i

function readRelative(text: string): string | null {
  const id = text.replace(/^\//, '')
  // Control characters: none belongs into a URL.
  if (id.length > 1024 || /[\u0000-\u0020\u007f\\?#]|\/\//.test(id) || step.test(id)) throw badUri()
  if (id.startsWith('/')) throw badUri()
  return id === '' ? null : id
}
