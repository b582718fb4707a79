/** What a WebDAV server can do wrong, one way at a time; none of it is for the store behind it. */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Hostile } from './independent-peer.ts'

const xml = { 'content-type': 'application/xml; charset=utf-8' }
const open = '<?xml version="1.0"?>\n<d:multistatus xmlns:d="DAV:">'
const close = '</d:multistatus>'

export const fileResponse = (href: string, size = 3): string =>
  `<d:response><d:href>${href}</d:href><d:propstat><d:prop><d:getetag>"a"</d:getetag>` +
  '<d:getlastmodified>Sun, 01 Feb 2026 00:00:00 GMT</d:getlastmodified>' +
  `<d:resourcetype/><d:getcontentlength>${size}</d:getcontentlength></d:prop>` +
  '<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>'

const folderResponse = (href: string): string =>
  fileResponse(href).replace(
    '<d:resourcetype/>',
    '<d:resourcetype><d:collection/></d:resourcetype>',
  )

const pathOf = ({ url = '/' }: IncomingMessage): string => (url.endsWith('/') ? url : `${url}/`)

/** A success of the kind that was asked for. */
const wellFor = ({ method }: IncomingMessage): number =>
  ({ PROPFIND: 207, PROPPATCH: 207, GET: 200, PUT: 201, MKCOL: 201 })[method ?? ''] ?? 204

/** Reads what is sent and then does it, so that an upload is over before the answer. */
const after =
  (work: (req: IncomingMessage, res: ServerResponse) => void): Hostile =>
  (req, res) =>
    void req.on('end', () => work(req, res)).resume()

const answer = (
  status: number,
  body: string | Buffer = '',
  headers: Readonly<Record<string, string>> = {},
): Hostile => after((_req, res) => void res.writeHead(status, headers).end(body))

/** Writes until the other side has had enough. */
function pour(res: ServerResponse, piece: string | Buffer): void {
  const again = (): void => {
    while (!res.destroyed && res.write(piece));
    if (!res.destroyed) res.once('drain', () => setImmediate(again))
  }
  again()
}

/** A piece every 20 ms; the interval ends with the socket. */
function drip(res: ServerResponse, write: () => void): void {
  const drops = setInterval(write, 20)
  res.on('close', () => clearInterval(drops))
}

/** No answer at all that deserves the name. */
export const silences = {
  'a black hole': () => undefined,
  'a head that drips': after((_req, res) => {
    const head = `HTTP/1.1 200 OK\r\nX-Long: ${'h'.repeat(10_000)}`
    let at = 0
    drip(res, () => void res.socket?.write(head.charAt(at++)))
  }),
  'a reset before the answer': after((req) => void req.socket.resetAndDestroy()),
  'a connection closed without a word': after((req) => void req.socket.end()),
} as const satisfies Record<string, Hostile>

/** Statuses that mean "not now". */
export const outages = {
  500: answer(500, '<h1>Internal Server Error at /var/www/secret.php:17</h1>'),
  502: answer(502, '<h1>Bad Gateway</h1>'),
  503: answer(503, '', { 'retry-after': '120' }),
  504: answer(504),
} as const satisfies Record<number, Hostile>

/** Answers that are none of WebDAV's. */
export const nonsense = {
  'a redirect to another host': answer(302, '', { location: 'http://elsewhere.example.org/' }),
  'a redirect to itself': after(
    (req, res) => void res.writeHead(308, { location: req.url ?? '' }).end(),
  ),
  'random bytes': after((req) => void req.socket.end(randomBytes(4096))),
  'another protocol': after((req) => void req.socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  'status 299': answer(299, 'persistent warning'),
  'status 102 and then nothing that fits': answer(305),
} as const satisfies Record<string, Hostile>

/** Multi-Status answers that cannot be believed. */
export const badLists = {
  'HTML with status 200': answer(200, '<!doctype html><title>Log in</title>', {
    'content-type': 'text/html',
  }),
  'HTML with status 207': answer(207, '<!doctype html><title>Log in<br></title>', xml),
  'broken XML': answer(207, `${open}<d:response><d:href>/`, xml),
  'another document': answer(207, '<rss version="2.0"/>', xml),
  nothing: answer(207, '', xml),
  'an entity bomb': answer(
    207,
    `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>${open}&b;${close}`,
    xml,
  ),
  'XML nested 100,000 deep': answer(207, `${open}${'<d:x>'.repeat(100_000)}`, xml),
  'an endless list': after((req, res) => {
    res.writeHead(207, xml).write(open + folderResponse(pathOf(req)))
    let count = 0
    const piece = Array.from({ length: 100 }, () => fileResponse(`${pathOf(req)}f${count++}`))
    pour(res, piece.join(''))
  }),
  'an endless word': after((_req, res) => {
    res.writeHead(207, xml).write(`${open}<d:response><d:href>`)
    pour(res, 'x'.repeat(65_536))
  }),
  'a list that drips': after((_req, res) => {
    res.writeHead(207, xml).write(open)
    drip(res, () => void res.write(' '))
  }),
  'a gzip bomb': answer(207, gzipSync(Buffer.alloc(50_000_000, ' ')), {
    ...xml,
    'content-encoding': 'gzip',
  }),
  'only hrefs of another host': answer(
    207,
    `${open}${folderResponse('http://elsewhere.example.org/')}${close}`,
    xml,
  ),
  'only hrefs elsewhere': answer(207, `${open}${folderResponse('/somewhere/else/')}${close}`, xml),
  'less than its length': after((req, res) => {
    const body = open + folderResponse(pathOf(req)) + close
    res.writeHead(207, { ...xml, 'content-length': String(body.length + 500) })
    res.write(body, () => void req.socket.end())
  }),
  'a reset in the middle': after((req, res) => {
    res.writeHead(207, xml)
    res.write(open + folderResponse(pathOf(req)), () => void req.socket.resetAndDestroy())
  }),
} as const satisfies Record<string, Hostile>

/** A list with one good member, `good.txt`, among whatever else is given. */
export const listOf = (...hrefs: readonly string[]): Hostile =>
  after((req, res) => {
    const own = pathOf(req)
    const found = [`${own}good.txt`, ...hrefs.map((href) => href.replace('OWN/', own))]
    const text =
      open + folderResponse(own) + found.map((href) => fileResponse(href)).join('') + close
    res.writeHead(207, xml).end(text)
  })

/** So many members, in one answer that is well formed. */
export const listOfMany = (count: number): Hostile =>
  after((req, res) => {
    const own = pathOf(req)
    res.writeHead(207, xml).write(open + folderResponse(own))
    let next = 0
    const again = (): void => {
      let flows = true
      while (flows && next < count && !res.destroyed) {
        flows = res.write(fileResponse(`${own}f${next++}`))
      }
      if (next >= count) res.end(close)
      else if (!res.destroyed) res.once('drain', again)
    }
    again()
  })

/** Does so only where members are asked for; of itself the folder says what is right. */
export const whenListed =
  (by: Hostile): Hostile =>
  (req, res) => {
    if (req.headers['depth'] !== '0') by(req, res)
    else answer(207, open + folderResponse(pathOf(req)) + close, xml)(req, res)
  }

/** Downloads that do not keep what their head promises; the file has ten bytes, `0123456789`. */
export const badDownloads = {
  'less than its length': after((req, res) => {
    res.writeHead(200, { 'content-length': '10', etag: '"a"' })
    res.write('01234', () => void req.socket.end())
  }),
  'a reset in the middle': after((req, res) => {
    res.writeHead(200, { 'content-length': '10', etag: '"a"' })
    res.write('01234', () => void req.socket.resetAndDestroy())
  }),
  'a chunked body that is cut': after((req, res) => {
    res.writeHead(200, { etag: '"a"' })
    res.write('01234', () => void req.socket.end())
  }),
} as const satisfies Record<string, Hostile>

/** A download of a terabyte. */
export const endlessDownload: Hostile = after((_req, res) => {
  res.writeHead(200, { etag: '"a"', 'content-length': String(2 ** 40) })
  pour(res, Buffer.alloc(65_536))
})

/** A refusal with credentials in its words, which nobody may repeat. */
export const refusal = (status: number): Hostile =>
  after((req, res) => {
    const said = `you sent ${req.headers.authorization ?? ''}`
    const headers = { 'www-authenticate': 'Basic realm="theirs"', 'content-type': 'text/plain' }
    res.writeHead(status, headers).end(said)
  })

/** The right status and nothing else. */
export const bareSuccess: Hostile = after((req, res) => void res.writeHead(wellFor(req)).end())
