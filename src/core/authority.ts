import { isIPv6 } from 'node:net'

const defaultPorts: Record<string, string> = { https: '443', http: '80' }

/**
 * Normalises `host[:port]`: lower case, IDN as punycode, no trailing dot, no default port.
 * Returns `undefined` for anything else (a scheme, a path, credentials, an empty host).
 *
 * @param scheme decides which port is the default one; federation is https.
 */
export function parseAuthority(
  text: string,
  scheme: 'https' | 'http' = 'https',
): string | undefined {
  if (text === '' || text.length > 300 || /[\s/\\@?#%]/.test(text)) return undefined
  let url: URL
  try {
    url = new URL(`${scheme}://${text}/`)
  } catch {
    return undefined
  }
  const host = url.hostname.replace(/\.$/, '')
  if (host === '' || (host.startsWith('[') && !isIPv6(host.slice(1, -1)))) return undefined
  const port = url.port === defaultPorts[scheme] ? '' : url.port
  return port === '' ? host : `${host}:${port}`
}

/** The authority of an http(s) URL, default port removed by its own scheme. */
export const authorityOf = (url: URL): string =>
  url.port === '' ? url.hostname : `${url.hostname}:${url.port}`
