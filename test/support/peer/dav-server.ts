/** WebDAV over a `DavStore`, written from RFC 4918 with node:http alone. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { DavStore, Kept } from './dav-store.ts'

export interface DavReply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

interface DavRequest {
  readonly path: string
  readonly destination: string
  readonly field: (name: string) => string | undefined
  readonly body: Buffer
  readonly store: DavStore
  readonly hrefOf: (path: string, isFolder: boolean) => string
}

type Method = (request: DavRequest) => DavReply

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

const missing: DavReply = { status: 404, body: 'nothing here' }

/** Serves one request below `root`, a path without a slash at its end. */
export async function serveDav(
  root: string,
  store: DavStore,
  req: IncomingMessage,
  res: ServerResponse,
): Promise<void> {
  const body = await buffer(req)
  const method = methods[req.method ?? '']
  const {
    status,
    headers,
    body: said = '',
  } = method?.({
    path: pathBelow(root, req.url ?? ''),
    destination: pathBelow(root, new URL(headerOf(req, 'destination') ?? 'http://none/').pathname),
    field: (name) => headerOf(req, name),
    body,
    store,
    hrefOf: (path, isFolder) => {
      const parts = path.split('/').filter(Boolean).map(encodeURIComponent)
      return [root, ...parts].join('/') + (isFolder ? '/' : '')
    },
  }) ?? { status: 405, headers: { allow: Object.keys(methods).join(', ') } }
  const length =
    status === 204 || status === 304 ? {} : { 'content-length': Buffer.byteLength(said) }
  res.writeHead(status, { ...length, ...headers }).end(req.method === 'HEAD' ? undefined : said)
}

const headerOf = ({ headers }: IncomingMessage, name: string): string | undefined =>
  headers[name]?.toString()

const pathBelow = (root: string, target: string): string =>
  target.slice(root.length).split('/').filter(Boolean).map(decodeURIComponent).join('/')

const methods: Readonly<Record<string, Method>> = {
  OPTIONS: () => ({ status: 200, headers: { dav: '1', allow: Object.keys(methods).join(', ') } }),
  HEAD: (request) => download(request),
  GET: (request) => download(request),
  PUT({ path, store, field, body }) {
    const old = store.get(path)
    if (old ? old.content === undefined : !store.hasParent(path)) return { status: 409 }
    const wanted = field('if-match')
    const unwanted = field('if-none-match')
    if (wanted !== undefined && wanted !== '*' && wanted !== old?.etag) return { status: 412 }
    if (wanted === '*' && !old) return { status: 412 }
    if (unwanted === '*' && old) return { status: 412 }
    store.write(path, body)
    return { status: old ? 204 : 201, headers: { etag: store.get(path)?.etag ?? '' } }
  },
  MKCOL({ path, store }) {
    if (store.get(path)) return { status: 405 }
    if (!store.hasParent(path)) return { status: 409 }
    store.mkdir(path)
    return { status: 201 }
  },
  DELETE({ path, store }) {
    if (path === '') return { status: 403 }
    if (!store.get(path)) return missing
    store.remove(path)
    return { status: 204 }
  },
  COPY: (request) => place(request, false),
  MOVE: (request) => place(request, true),
  PROPFIND({ path, store, field, hrefOf }) {
    const kept = store.get(path)
    if (!kept) return missing
    const paths = [path, ...(field('depth') === '0' ? [] : store.members(path))]
    const responses = paths.map((one) => describe(one, store.get(one) ?? kept, hrefOf))
    const body = `<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns">${responses.join('')}</d:multistatus>`
    return { status: 207, headers: { 'content-type': 'application/xml; charset=utf-8' }, body }
  },
  PROPPATCH({ path, store, body, hrefOf }) {
    const kept = store.get(path)
    if (!kept) return missing
    const names = patch(kept, body.toString())
    const props = names.map((name) => `<d:prop>${name}</d:prop>`).join('')
    const propstat = `<d:propstat>${props}<d:status>HTTP/1.1 200 OK</d:status></d:propstat>`
    const href = hrefOf(path, kept.content === undefined)
    const text = `<d:multistatus xmlns:d="DAV:"><d:response><d:href>${href}</d:href>${propstat}</d:response></d:multistatus>`
    return {
      status: 207,
      headers: { 'content-type': 'application/xml; charset=utf-8' },
      body: text,
    }
  },
}

function download({ path, store, field }: DavRequest): DavReply {
  const kept = store.get(path)
  if (!kept) return missing
  if (kept.content === undefined) return { status: 405 }
  const headers = {
    etag: kept.etag,
    'last-modified': new Date(kept.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': 'application/octet-stream',
  }
  if (field('if-none-match') === kept.etag) return { status: 304, headers }
  const [, from = '', to = ''] = /^bytes=(\d*)-(\d*)$/.exec(field('range') ?? '') ?? []
  if (from === '' && to === '') return { status: 200, headers, body: kept.content }
  const size = kept.content.length
  const start = from === '' ? Math.max(size - Number(to), 0) : Number(from)
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (start > end) return { status: 416, headers: { 'content-range': `bytes */${size}` } }
  const range = { 'content-range': `bytes ${start}-${end}/${size}` }
  return {
    status: 206,
    headers: { ...headers, ...range },
    body: kept.content.subarray(start, end + 1),
  }
}

function place({ path, destination, store, field }: DavRequest, move: boolean): DavReply {
  if (!store.get(path)) return missing
  if (path === '' || destination === '' || `${destination}/`.startsWith(`${path}/`)) {
    return { status: 403 }
  }
  if (!store.hasParent(destination)) return { status: 409 }
  const isThere = store.get(destination) !== undefined
  if (isThere && field('overwrite') === 'F') return { status: 412 }
  store.place(path, destination, move)
  return { status: isThere ? 204 : 201 }
}

function describe(path: string, kept: Kept, hrefOf: DavRequest['hrefOf']): string {
  const { content, etag, modifiedAt, properties } = kept
  const props = [
    `<d:getetag>${escaped(etag)}</d:getetag>`,
    `<d:getlastmodified>${new Date(modifiedAt).toUTCString()}</d:getlastmodified>`,
    content === undefined
      ? '<d:resourcetype><d:collection/></d:resourcetype>'
      : `<d:resourcetype/><d:getcontentlength>${content.length}</d:getcontentlength>`,
    ...properties.values(),
  ]
  const propstat = `<d:propstat><d:prop>${props.join('')}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>`
  const href = escaped(hrefOf(path, content === undefined))
  return `<d:response><d:href>${href}</d:href>${propstat}</d:response>`
}

/** Understands one element with its own namespace declaration in each `prop`: what our server sends. */
function patch(kept: Kept, text: string): string[] {
  const names: string[] = []
  for (const [, step, inner = ''] of text.matchAll(
    /<(?:\w+:)?(set|remove)>\s*<(?:\w+:)?prop>\s*([^]*?)\s*<\/(?:\w+:)?prop>/g,
  )) {
    const [, local = '', namespace = ''] =
      /^<(?:\w+:)?([\w.-]+)[^>]*?\sxmlns(?::\w+)?="([^"]*)"/.exec(inner) ?? []
    names.push(`<${local} xmlns="${namespace}"/>`)
    if (step === 'set') kept.properties.set(`{${namespace}}${local}`, inner)
    else kept.properties.delete(`{${namespace}}${local}`)
  }
  return names
}
