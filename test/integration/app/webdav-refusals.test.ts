import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { basic, bearer, davClient } from '../../support/dav-client.ts'
import { request, type Answer } from '../../support/http-request.ts'
import { expectInvariants } from '../../support/invariants.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

interface Tree {
  readonly base: string
  readonly authorization: string
}

let server: TestServer
let peer: IndependentPeer
let trees: readonly Tree[]
let reader: Tree

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  const password = await addAlice(server)
  const open = async (permissions: ('read' | 'write')[]): Promise<Tree> => {
    const { secret } = await shareWith(server, peer, { mode: 'strict', permissions })
    return { base: '/dav/ocm', authorization: bearer(await peer.exchange(server, secret)) }
  }
  const home = { base: '/dav/files/alice/Holiday', authorization: basic('alice', password) }
  trees = [home, await open(['read', 'write'])]
  reader = await open(['read'])
})

afterAll(async () => {
  await Promise.all([peer.close(), server.close()])
})

interface Row {
  readonly name: string
  readonly method: string
  /** Below the tree, unless it begins with a slash; `BASE` in a field stands for the tree. */
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly status: number
}

/** The request with a length and chunked, at one tree; the answers have to be alike. */
async function expectAlike(tree: Tree, row: Row): Promise<Answer> {
  const { method, path = 'beach.txt', status, body = '' } = row
  const fields = Object.entries(row.headers ?? {}).map(
    ([name, value]) => [name, value.replaceAll('BASE', tree.base)] as const,
  )
  const send = (framing: Readonly<Record<string, string>>): Promise<Answer> =>
    request(server.url, {
      method,
      target: path.startsWith('/') ? path : `${tree.base}/${path}`,
      headers: [['Authorization', tree.authorization], ...Object.entries(framing), ...fields],
      body,
    })
  const answers = await expectInvariants(server, async () => [
    await send({ 'Content-Length': String(Buffer.byteLength(body)) }),
    await send({ 'Transfer-Encoding': 'chunked' }),
  ])
  const [counted, chunked] = answers
  expect(answers.map((answer) => answer.status)).toEqual([status, status])
  expect(chunked?.text).toBe(counted?.text)
  return counted as Answer
}

const elsewhere = { Destination: 'BASE/new.txt' }
const xml = { 'Content-Type': 'application/xml', Depth: '0' }
const ask = (inner: string): string =>
  `<D:propfind xmlns:D="DAV:"><D:prop>${inner}</D:prop></D:propfind>`

const rows: Row[] = [
  { name: 'E1 dots', method: 'PUT', path: '%2e%2e/diary.txt', body: 'x', status: 400 },
  { name: 'E1 a slash', method: 'PUT', path: '..%2fdiary.txt', body: 'x', status: 400 },
  { name: 'E1 a backslash', method: 'DELETE', path: '..%5cdiary.txt', status: 400 },
  { name: 'E2 a bad escape', method: 'PUT', path: '%zz', body: 'x', status: 400 },
  { name: 'E2 an overlong form', method: 'MKCOL', path: '%c0%ae', status: 400 },
  { name: 'E2 NUL', method: 'PUT', path: 'a%00.txt', body: 'x', status: 400 },
  { name: 'E2 256 bytes', method: 'PUT', path: 'x'.repeat(256), body: 'x', status: 400 },
  ...['COPY', 'MOVE'].flatMap((method): Row[] => {
    const to = (Destination: string) => ({ Destination })
    return [
      { name: 'E4', method, headers: to('http://else.example/dav/x'), status: 502 },
      { name: 'E5 above', method, headers: to('/dav/files/alice'), status: 403 },
      { name: 'E5 elsewhere', method, headers: to('/dav/files/bob/x'), status: 403 },
      { name: 'E5 out by dots', method, headers: to('BASE/../diary.txt'), status: 400 },
      { name: 'E2 a bad escape', method, headers: to('BASE/%zz'), status: 400 },
      { name: 'E2 NUL', method, headers: to('BASE/%00'), status: 400 },
      { name: 'E7', method, headers: { ...elsewhere, Overwrite: 'X' }, status: 400 },
      { name: 'E7 F', method, headers: { ...to('BASE/more'), Overwrite: 'F' }, status: 412 },
      { name: 'S43 itself', method, headers: to('BASE/beach.txt'), status: 403 },
      { name: 'S43 no parent', method, headers: to('BASE/none/x'), status: 409 },
      { name: 'E10', method, headers: { ...elsewhere, 'If-Match': '"x"' }, status: 412 },
      { name: 'E11', method, headers: { ...elsewhere, If: '(["x"])' }, status: 412 },
      { name: 'S40', method, headers: elsewhere, body: 'x', status: 415 },
    ]
  }),
  ...['abc', '-1', '2'].flatMap((Depth): Row[] => [
    { name: `E8 ${Depth}`, method: 'PROPFIND', headers: { Depth }, status: 400 },
    { name: `E8 ${Depth}`, method: 'DELETE', headers: { Depth }, status: 400 },
    { name: `E8 ${Depth}`, method: 'LOCK', headers: { Depth }, status: 400 },
  ]),
  ...[{ 'If-Match': '"x"' }, { 'If-None-Match': '*' }].flatMap((headers): Row[] => [
    { name: 'E10', method: 'PUT', headers, body: 'new', status: 412 },
    { name: 'E10', method: 'DELETE', headers, status: 412 },
    { name: 'E10', method: 'PROPPATCH', headers: { ...xml, ...headers }, status: 412 },
    { name: 'E10', method: 'LOCK', headers: { ...xml, ...headers }, status: 412 },
  ]),
  ...['(["x"])', '(<urn:uuid:00000000-0000-0000-0000-000000000000>)'].flatMap((If): Row[] => [
    { name: `E11 ${If}`, method: 'PUT', headers: { If }, body: 'new', status: 412 },
    { name: `E11 ${If}`, method: 'DELETE', headers: { If }, status: 412 },
    { name: `E11 ${If}`, method: 'MKCOL', path: 'new', headers: { If }, status: 412 },
    { name: `E11 ${If}`, method: 'PROPPATCH', headers: { ...xml, If }, status: 412 },
    { name: `E11 ${If}`, method: 'PROPFIND', headers: { ...xml, If }, status: 412 },
    { name: `E11 ${If}`, method: 'LOCK', headers: { ...xml, If }, status: 412 },
    { name: `E11 ${If}`, method: 'GET', headers: { If }, status: 412 },
  ]),
  ...['(["x"]) '.repeat(1900), '(["x"]', '('.repeat(15_000)].flatMap((If): Row[] => [
    { name: 'E12', method: 'PUT', headers: { If }, body: 'new', status: 400 },
    { name: 'E12', method: 'UNLOCK', headers: { If }, status: 400 },
  ]),
  {
    name: 'E13',
    method: 'PUT',
    headers: { 'Content-Range': 'bytes 0-0/1' },
    body: 'x',
    status: 400,
  },
  { name: 'E21', method: 'TRACE', status: 405 },
  { name: 'E21', method: 'PATCH', body: 'x', status: 405 },
  { name: 'S40', method: 'MKCOL', path: 'new', body: 'x', status: 415 },
  { name: 'S40', method: 'DELETE', body: 'x', status: 415 },
  { name: 'S40', method: 'UNLOCK', headers: { 'Lock-Token': '<u:x>' }, body: 'x', status: 415 },
  { name: 'S41', method: 'PROPFIND', headers: { Depth: 'infinity' }, status: 403 },
  { name: 'S42 exists', method: 'MKCOL', path: 'more', status: 405 },
  { name: 'S42 no parent', method: 'MKCOL', path: 'none/x', status: 409 },
  { name: 'S42 a collection', method: 'PUT', path: 'more', body: 'x', status: 405 },
  { name: 'S42 no parent', method: 'PUT', path: 'none/x', body: 'x', status: 409 },
  ...['PROPFIND', 'PROPPATCH', 'LOCK'].flatMap((method): Row[] => {
    const of = (name: string, body: string, status: number, headers = {}): Row => ({
      name,
      method,
      body,
      status,
      headers: { ...xml, ...headers },
    })
    return [
      of('F1 an unclosed tag', '<propfind xmlns="DAV:"><prop>', 400),
      of('F1 two roots', '<a/><b/>', 400),
      of('F1 plain text', 'hello', 400),
      of('F1 JSON', '{"propfind":{"allprop":{}}}', 400),
      of('F3 an entity', `<!DOCTYPE x [<!ENTITY e "x">]>${ask('<x>&e;</x>')}`, 403),
      of('F5 elements', ask('<x xmlns=""/>'.repeat(1000)), 400),
      of('F5 256 KiB', ask(' '.repeat(256 * 1024)), 413),
      of('F5 a charset', ask(''), 415, { 'Content-Type': 'text/xml; charset=utf-16' }),
      of('F5 a media type', ask(''), 415, { 'Content-Type': 'application/json' }),
      of('a content coding', ask(''), 415, { 'Content-Encoding': 'gzip' }),
    ]
  }),
  { name: 'S49', method: 'GET', headers: { Range: 'bytes=99-' }, status: 416 },
]

describe('refusals of WebDAV, with every invariant (robustness.md §2, CI1 to CI5)', () => {
  it.each(rows)('$name: $method is $status, chunked or with a length', async (row) => {
    for (const tree of trees) await expectAlike(tree, row)
  })

  it.each<Omit<Row, 'name' | 'status'>>([
    { method: 'PUT', path: 'new.txt', body: 'x' },
    { method: 'PUT', body: 'x' },
    { method: 'DELETE' },
    { method: 'MKCOL', path: 'new' },
    { method: 'MOVE', headers: elsewhere },
    { method: 'COPY', headers: elsewhere },
    { method: 'PROPPATCH', headers: xml, body: '<x/>' },
    { method: 'LOCK', path: 'new.txt', headers: xml, body: '<x/>' },
    { method: 'UNLOCK', headers: { 'Lock-Token': '<u:x>' } },
  ])('E16: $method of a read-only share is 403', async (row) => {
    const { headers } = await expectAlike(reader, { ...row, name: 'E16', status: 403 })
    expect(headers['www-authenticate']).toContain('error="insufficient_scope"')
  })

  it('E17: the root of a share stays', async () => {
    const [, share] = trees as [Tree, Tree]
    for (const path of ['/dav/ocm', '/dav/ocm/']) {
      await expectAlike(share, { name: 'E17', method: 'DELETE', path, status: 403 })
      await expectAlike(share, {
        name: 'E17',
        method: 'MOVE',
        path,
        headers: elsewhere,
        status: 403,
      })
    }
  })

  it.each(['PROPFIND', 'PROPPATCH', 'LOCK'])('F3: %s fetches nothing', async (method) => {
    let connections = 0
    const bait = createServer((socket) => {
      connections += 1
      socket.destroy()
    })
    await new Promise<void>((resolve) => bait.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(bait.address() as AddressInfo).port}/`
    for (const body of [
      `<!DOCTYPE x SYSTEM "${url}">${ask('')}`,
      `<!DOCTYPE x [<!ENTITY e SYSTEM "${url}">]>${ask('<x>&e;</x>')}`,
      `<!DOCTYPE x [<!ENTITY % p SYSTEM "${url}">%p;]>${ask('')}`,
      `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>`,
    ]) {
      const row = { name: 'F3', method, headers: xml, body, status: 403 }
      for (const tree of trees) {
        const { text } = await expectAlike(tree, row)
        expect(text).toContain('<D:no-external-entities/>')
      }
    }
    expect(connections).toBe(0)
    await new Promise((resolve) => bait.close(resolve))
  })

  it('A8: what the other share holds is as if it were not there', async () => {
    const [, share] = trees as [Tree, Tree]
    const other = await shareWith(server, peer, { mode: 'strict' })
    const dav = davClient(server.url, share.authorization)
    const of = (id: string) => expectInvariants(server, () => dav.get(`/dav/ocm/${id}/beach.txt`))
    const [hidden] = await of(other.id)
    const [missing] = await of(`shr-${'0'.repeat(22)}`)
    expect([hidden?.status, hidden?.text]).toEqual([404, missing?.text])
  })
})
