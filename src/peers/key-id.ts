import { authorityOf, parseAuthority } from '../core/index.ts'

/**
 * The server a `keyid` belongs to: an absolute URL with a fragment, or `host[:port]#fragment`.
 * `undefined` for anything that does not name one host plainly (relative, with a user, http, …).
 */
export function keyIdAuthority(keyId: string, allowHttp: boolean): string | undefined {
  const hash = keyId.indexOf('#')
  if (hash < 1) return undefined
  const place = keyId.slice(0, hash)
  if (!place.includes('://')) {
    return place.endsWith('.') ? undefined : parseAuthority(place)
  }
  if (!URL.canParse(place)) return undefined
  const url = new URL(place)
  if (url.protocol !== 'https:' && !(allowHttp && url.protocol === 'http:')) return undefined
  if (url.username !== '' || url.password !== '' || url.hostname.endsWith('.')) return undefined
  return authorityOf(url)
}
