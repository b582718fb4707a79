import type { ConfigFault } from './faults.ts'

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' ||
  hostname.endsWith('.localhost') ||
  hostname === '[::1]' ||
  /^127(\.\d+){3}$/.test(hostname)

/** What is wrong with `publicUrl`: it must be an origin, and https beyond this machine. */
export function publicUrlFaults(text: string, dev: boolean): ConfigFault[] {
  const fault = (message: string) => [{ path: 'publicUrl', message }]
  if (!URL.canParse(text)) return fault(`"${text}" must be a URL such as https://cloud.example.org`)
  const url = new URL(text)
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return fault('must begin with https://')
  if (url.username !== '' || url.password !== '')
    return fault('must not contain a user or password')
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    return fault('must have no path, query or fragment; use the origin alone')
  }
  // RFC 6750 §5.2: bearer tokens travel over TLS only, except on this very machine or in dev.
  if (url.protocol === 'http:' && !dev && !isLoopback(url.hostname)) {
    return fault('must be https; put TLS in front, set listen.tls, or set "dev": true for a test')
  }
  return []
}
