import { parseAuthority, authorityOf } from '../core/index.ts'
import { PeerError } from './errors.ts'
import { discoverySchema, type DiscoveryWire } from './wire.ts'

/** A resource type a peer knows. */
export interface PeerResourceType {
  readonly name: string
  readonly shareTypes: readonly string[]
  /** Path of the WebDAV root, when it sends shares of this type. */
  readonly webdav: string | undefined
  /** The form of `webdav.uri` it accepts, when it says. */
  readonly webdavReceive: 'absolute' | 'relative' | undefined
}

/** What a peer says of itself, read tolerantly, judged strictly. */
export interface Discovery {
  readonly apiVersion: string
  readonly provider: string | undefined
  readonly endPoint: string
  readonly capabilities: readonly string[]
  readonly criteria: readonly string[]
  readonly resourceTypes: readonly PeerResourceType[]
  readonly tokenEndPoint: string | undefined
  readonly jwksUri: string | undefined
  /** The RSA key of draft-cavage signatures. */
  readonly publicKey: { readonly keyId: string | undefined; readonly pem: string } | undefined
}

/** Older spellings of capabilities and criteria, and what they are called today. */
const aliases: Record<string, string> = {
  'token-exchange': 'exchange-token',
  'receive-code': 'exchange-token',
  'invite-accepted': 'invites',
  'webdav-uri': 'protocol-object',
  'http-request-signatures': 'must-use-http-sig',
  invite: 'must-invite',
  'mfa-enforced': 'enforce-mfa',
}

const normalise = (names: readonly unknown[]): string[] => {
  const plain = names
    .filter((name) => typeof name === 'string')
    .map((name) => name.toLowerCase().replace(/^\//, ''))
  return [...new Set(plain.map((name) => aliases[name] ?? name))]
}

const refuse = (host: string, reason: string): PeerError =>
  new PeerError('peer_unusable', `The discovery document of ${host} cannot be used: ${reason}.`)

/**
 * Reads the discovery document found at `url` for `host`.
 *
 * @throws PeerError `peer_unusable` naming the member that is wrong.
 */
export function parseDiscovery(document: unknown, host: string, url: URL): Discovery {
  const parsed = discoverySchema.safeParse(document)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw refuse(host, `${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'malformed'}`)
  }
  const wire = parsed.data
  if (!wire.enabled) throw refuse(host, 'it says that federation is not enabled')
  const endPoint = wire.endPoint ?? wire.endpoint
  if (endPoint === undefined) throw refuse(host, 'endPoint is missing')
  const capabilities = normalise(wire.capabilities)
  const tokenEndPoint = wire.tokenEndPoint ?? wire.tokenEndpoint
  if (capabilities.includes('exchange-token') !== (tokenEndPoint !== undefined)) {
    throw refuse(host, 'exchange-token and tokenEndPoint must come together')
  }
  const urls = endpointReader(host, url)
  // Nobody is sent there yet; a document that names another server is not its owner's.
  if (wire.inviteAcceptDialog) urls.relative('inviteAcceptDialog', wire.inviteAcceptDialog)
  return {
    apiVersion: wire.apiVersion ?? wire.version ?? '1.0',
    provider: wire.provider,
    endPoint: urls.absolute('endPoint', endPoint).replace(/\/+$/, ''),
    capabilities,
    criteria: normalise(wire.criteria),
    resourceTypes: readResourceTypes(wire, host),
    // The OCM stub publishes a path here; it is resolved, and then judged like the others.
    tokenEndPoint: tokenEndPoint && urls.relative('tokenEndPoint', tokenEndPoint),
    jwksUri: wire.jwksUri && urls.absolute('jwksUri', wire.jwksUri),
    publicKey: readPublicKey(wire),
  }
}

function readPublicKey({ publicKey }: DiscoveryWire): Discovery['publicKey'] {
  const pem = publicKey?.publicKeyPem
  return pem === undefined ? undefined : { keyId: publicKey?.keyId, pem }
}

/** Every endpoint lives on the discovered authority, over the discovered scheme or better. */
function endpointReader(host: string, base: URL) {
  function judge(member: string, url: URL): string {
    const secureEnough = url.protocol === 'https:' || url.protocol === base.protocol
    if (!secureEnough || !/^https?:$/.test(url.protocol)) {
      throw refuse(host, `${member} must use https`)
    }
    const scheme = url.protocol === 'https:' ? 'https' : 'http'
    if (authorityOf(url) !== parseAuthority(host, scheme)) {
      throw refuse(host, `${member} points to another server (${authorityOf(url)})`)
    }
    if (url.username !== '' || url.password !== '') {
      throw refuse(host, `${member} contains credentials`)
    }
    return url.href
  }
  return {
    absolute(member: string, text: string): string {
      if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
        throw refuse(host, `${member} must be an absolute URL`)
      }
      if (text.includes('#')) throw refuse(host, `${member} must not have a fragment`)
      return judge(member, new URL(text))
    },
    relative(member: string, text: string): string {
      if (!URL.canParse(text, base.href)) throw refuse(host, `${member} must be a URL`)
      return judge(member, new URL(text, base))
    },
  }
}

function readResourceTypes(wire: DiscoveryWire, host: string): PeerResourceType[] {
  return wire.resourceTypes.map(({ name, shareTypes, protocols }) => {
    const { webdav, 'webdav-receive': receive } = protocols
    if (webdav !== undefined && typeof webdav !== 'string') {
      throw refuse(host, `the webdav protocol of resource type ${name} must be a path`)
    }
    const uri: unknown =
      typeof receive === 'object' && receive !== null && 'uri' in receive ? receive.uri : undefined
    if (receive !== undefined && uri !== 'absolute' && uri !== 'relative') {
      throw refuse(host, `webdav-receive.uri of resource type ${name} must be absolute or relative`)
    }
    return {
      name,
      shareTypes: normalise(shareTypes),
      webdav,
      webdavReceive: uri,
    } as PeerResourceType
  })
}
