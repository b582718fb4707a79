import type { Agent } from 'node:http'
import { request, type Answer, type RequestOptions } from './http-request.ts'

export const bearer = (token: string): string => `Bearer ${token}`
export const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

type Fields = Readonly<Record<string, string>>
type CallOptions = Omit<RequestOptions, 'headers' | 'method'> & { readonly headers?: Fields }

/** The smallest WebDAV client: a root URL and one credential. */
export function davClient(root: string, authorization?: string, agent?: Agent) {
  const call = (method: string, path = '', options: CallOptions = {}) =>
    request(root + path, {
      ...options,
      ...(agent && { agent }),
      method,
      headers: { ...(authorization !== undefined && { authorization }), ...options.headers },
    })
  return {
    /** For what this client cannot say. */
    authorization,
    call,
    get: (path = '', headers: Fields = {}): Promise<Answer> => call('GET', path, { headers }),
    put: (path: string, body: string | Uint8Array, headers: Fields = {}): Promise<Answer> =>
      call('PUT', path, { body, headers }),
    mkcol: (path: string): Promise<Answer> => call('MKCOL', path),
    remove: (path = ''): Promise<Answer> => call('DELETE', path),
    propfind: (path = '', depth = '0', body?: string): Promise<Answer> =>
      call('PROPFIND', path, {
        headers: { depth, ...(body !== undefined && { 'content-type': 'application/xml' }) },
        ...(body !== undefined && { body }),
      }),
    proppatch: (path: string, body: string): Promise<Answer> =>
      call('PROPPATCH', path, { body, headers: { 'content-type': 'application/xml' } }),
    copyOrMove: (method: 'COPY' | 'MOVE', path: string, destination: string): Promise<Answer> =>
      call(method, path, { headers: { destination } }),
  }
}

/** The hrefs of a Multi-Status, in order. */
export const hrefsOf = ({ text }: Pick<Answer, 'text'>): string[] =>
  [...text.matchAll(/<(?:\w+:)?href>([^<]*)</g)].map(([, href = '']) => href)
