import { isDeceptive, parseAuthority } from '../core/index.ts'
import { PeerError } from './errors.ts'

/** `identifier@host[:port]`; the identifier is opaque and case-sensitive. */
export interface OcmAddress {
  readonly identifier: string
  /** Normalised `host[:port]`. */
  readonly host: string
}

const stripScheme = (text: string): string => text.replace(/^https?:\/\//i, '').replace(/\/+$/, '')

const isClean = (identifier: string): boolean =>
  identifier !== '' && identifier.length <= 512 && !isDeceptive(identifier)

/**
 * Reads an address as peers really write them: with a scheme or a trailing slash on the host, or
 * with the host doubled (`x@h@h`, `x@https://h@h`). Split at the last `@` (OCM, Terms).
 *
 * @throws PeerError `bad_address`.
 */
export function parseOcmAddress(text: string): OcmAddress {
  const at = text.lastIndexOf('@')
  const host = parseAuthority(stripScheme(text.slice(at + 1)))
  const identifier = host === undefined ? '' : undoubled(text.slice(0, Math.max(at, 0)), host)
  if (at < 1 || host === undefined || !isClean(identifier)) {
    throw new PeerError('bad_address', `"${text}" is no OCM address; it has the form user@host.`)
  }
  return { identifier, host }
}

/** Drops one repetition of the host that oCIS and OpenCloud append to the identifier. */
function undoubled(identifier: string, host: string): string {
  const at = identifier.lastIndexOf('@')
  if (at < 1) return identifier
  return parseAuthority(stripScheme(identifier.slice(at + 1))) === host
    ? identifier.slice(0, at)
    : identifier
}

/** We only ever emit the plain form. */
export const formatOcmAddress = ({ identifier, host }: OcmAddress): string =>
  `${identifier}@${host}`
