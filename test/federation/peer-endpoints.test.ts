import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { generateKeyPairSync } from 'node:crypto'
import type { Answer } from '../support/http-request.ts'
import { expectInvariants } from '../support/invariants.ts'
import { acceptanceOf, tokenOf } from '../support/invites.ts'
import { offerOf } from '../support/offer.ts'
import {
  independentPeer,
  type IndependentPeer,
  type TokenRequestOptions,
} from '../support/peer/independent-peer.ts'
import { fourComponents, newPeerKey } from '../support/peer/signing.ts'
import { addAlice, shareWith } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let server: TestServer
let peer: IndependentPeer
let stranger: IndependentPeer

/** What is right at each endpoint; whatever is refused below is this, and wrong in one way. */
const good = new Map<string, { readonly body: unknown; readonly status: number }>()
const paths = ['/ocm/shares', '/ocm/notifications', '/ocm/invite-accepted'] as const

beforeAll(async () => {
  server = await startServer()
  await addAlice(server)
  await server.addUser('marie')
  peer = await independentPeer()
  stranger = await independentPeer()
  for (const one of [peer, stranger]) await one.offer(server, offerOf(server, one))
  const share = await shareWith(server, peer)
  const { invite } = await server.services().invites.create('alice')
  server.secrets.add(invite).add(tokenOf(invite))
  const notice = { notificationType: 'SHARE_ACCEPTED', resourceType: 'folder' }
  good.set('/ocm/shares', { body: offerOf(server, peer), status: 201 })
  good.set('/ocm/notifications', { body: { ...notice, providerId: share.id }, status: 201 })
  good.set('/ocm/invite-accepted', { body: acceptanceOf(peer, invite), status: 200 })
})

afterAll(async () => {
  await Promise.all([peer.close(), stranger.close(), server.close()])
})

/** Nothing stored, nobody asked for a key, no secret told: CI1 to CI5. */
async function refused(path: string, how: TokenRequestOptions): Promise<Answer | undefined> {
  const tell = () => peer.tell(server, path, good.get(path)?.body, how)
  return (await expectInvariants(server, tell))[0]
}

type Row = [name: string, how: (now: number) => TokenRequestOptions]

const second = (input: string): TokenRequestOptions => ({
  extra: [
    ['Signature-Input', input],
    ['Signature', `${input.split('=')[0] ?? ''}=:AAAA:`],
  ],
})
const named = (keyid: string | undefined) => ({ parameters: { keyid } })
const fourth = fourComponents.join(' ')
const without = (name: string) => fourComponents.filter((component) => component !== name)
const variant = (name: string) => [...without('"content-digest"'), `"content-digest"${name}`]
const { privateKey } = generateKeyPairSync('ed25519')

const unauthenticated: Row[] = [
  ['C1 two tagged', (now) => second(`two=(${fourth});created=${now};keyid="k#1";tag="ocm"`)],
  ['C1 one label twice', (now) => second(`ocm=(${fourth});created=${now};keyid="k#1"`)],
  ['C1 a label in one field only', () => ({ extra: [['Signature-Input', 'x=();created=1']] })],
  ['C1 no dictionary', () => ({ extra: { 'signature-input': '(((' } })],
  ...fourComponents.map((name): Row => [
    `C3 without ${name}`,
    () => ({ components: without(name) }),
  ]),
  ...[';key="sha-256"', ';bs', ';sf', ';req', ';tr'].map((name): Row => [
    `C4 with ${name}`,
    () => ({ components: variant(name) }),
  ]),
  ['C6 created missing', () => ({ parameters: { created: undefined } })],
  ['C6 created "never"', () => ({ parameters: { created: '"never"' } })],
  ['C6 created 1.5', () => ({ parameters: { created: '1.5' } })],
  ['C6 created in 61 s', (now) => ({ created: now + 61 })],
  ['C6 created 301 s ago', (now) => ({ created: now - 301 })],
  ['C6 expired', (now) => ({ parameters: { expires: String(now - 1) } })],
  ['C6 expires as a string', (now) => ({ parameters: { expires: `"${now + 60}"` } })],
  ['C7 keyid missing', () => named(undefined)],
  ['C7 keyid empty', () => named('""')],
  ['C7 keyid relative', () => named('"/ocm#peer-key"')],
  ['C7 keyid without fragment', () => named(`"${peer.url}/ocm"`)],
  ['C7 keyid with userinfo', () => named(`"http://u:p@${peer.host}/ocm#peer-key"`)],
  ['C7 keyid of another scheme', () => named(`"ftp://${peer.host}/ocm#peer-key"`)],
  ['C7 keyid with a trailing dot', () => named('"http://localhost.:1/ocm#k"')],
  ['C7 keyid of 8 KiB', () => named(`"${peer.url}/ocm#${'k'.repeat(8192)}"`)],
  ['C9 alg HMAC', () => ({ parameters: { alg: '"hmac-sha256"' } })],
  ['C9 alg of JOSE', () => ({ parameters: { alg: '"EdDSA"' } })],
  ['C9 alg of another key', () => ({ parameters: { alg: '"ecdsa-p256-sha256"' } })],
  ['C10 a short signature', () => ({ extra: { signature: 'ocm=:AAAA:' } })],
  ['C10 a signature by another key', () => ({ signWith: privateKey })],
  ['an unpublished key', () => ({ key: newPeerKey(peer.key.keyId) })],
  ['no signature at all (D2)', () => ({ unsigned: true })],
  ['a tag that is not ours', () => ({ parameters: { tag: '"other"' } })],
  [
    'C15 500 labels',
    () => {
      const labels = Array.from({ length: 500 }, (_, index) => `l${index}=();created=1`)
      return { extra: [['Signature-Input', labels.join(', ')]] }
    },
  ],
  ['C15 15 KiB of one', () => ({ parameters: { nonce: `"${'n'.repeat(15_000)}"` } })],
]

const nested = (levels: number): string => '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)

const malformed: [name: string, how: TokenRequestOptions, status: number][] = [
  ['C12 compressed', { extra: { 'content-encoding': 'gzip' } }, 415],
  ['in another charset', { contentType: 'application/json; charset=latin1' }, 415],
  ['multipart', { contentType: 'multipart/form-data; boundary=x' }, 415],
  ['D13 a poisoned prototype', { body: '{"__proto__":{"polluted":1}}' }, 400],
  ['D13 a poisoned constructor', { body: '{"constructor":{"prototype":{"polluted":1}}}' }, 400],
  ['D13 1,000 levels', { body: nested(1000) }, 400],
  ['D13 21 levels', { body: nested(21) }, 400],
  ['D13 1e400', { body: '{"providerId":1e400}' }, 400],
  ['D13 a lone surrogate', { body: '{"token":"\\ud800"}' }, 400],
  ['D13 a byte order mark', { body: '\ufeff{}' }, 400],
  ['no JSON', { body: 'providerId=1' }, 400],
  ['an empty body', { body: '' }, 400],
  ['null', { body: 'null' }, 400],
  ['altered after it was signed', { sentBody: '{"a":1}', extra: { 'content-length': '7' } }, 400],
  ['257 KiB', { body: JSON.stringify({ x: 'x'.repeat(257 * 1024) }) }, 413],
  ['65 KiB nested deeper than allowed', { body: nested(11_000) }, 413],
]

describe.each(paths)('a message to %s', (path) => {
  it.each(unauthenticated)('is 401: %s', async (_name, how) => {
    expect((await refused(path, how(server.clock.seconds())))?.status).toBe(401)
  })

  it.each(malformed)('is refused: %s', async (_name, how, status) => {
    expect((await refused(path, how))?.status).toBe(status)
    expect({}).not.toHaveProperty('polluted')
  })

  it('is 403 with the key of another server, under whatever name (C7, S32)', async () => {
    const port = stranger.host.split(':')[1] ?? ''
    // A notification does not say who sends it: a server that we know is asked for its own share.
    const isNotice = path === '/ocm/notifications'
    const rows: [TokenRequestOptions, number][] = [
      [{ key: stranger.key }, isNotice ? 400 : 403],
      [named(`"${stranger.url}/ocm#peer-key"`), isNotice ? 401 : 403],
      [named(`"http://127.0.0.2:${port}/ocm#peer-key"`), 403],
      [named('"https://xn--pple-43d.example.org/ocm#peer-key"'), 403],
      [named(`"http://${peer.host}@${stranger.host}/ocm#peer-key"`), 401],
    ]
    for (const [how, status] of rows) {
      expect([how.parameters, (await refused(path, how))?.status]).toEqual([how.parameters, status])
    }
  })

  it('is refused where it was not sent to (C13)', async () => {
    // It would do at every endpoint, if it were for that one.
    const body = JSON.stringify(Object.assign({}, ...[...good.values()].map((one) => one.body)))
    for (const other of paths.filter((one) => one !== path)) {
      const answer = await refused(path, { body, sendTo: server.url + other })
      expect([other, answer?.status]).toEqual([other, 401])
      const mistaken = await refused(path, { sendTo: server.url + other })
      expect([other, mistaken?.status]).toEqual([other, 400])
    }
    expect((await refused(path, { sendTo: `${server.url}${path}?x=1` }))?.status).toBe(401)
    const foreign = { extra: { host: 'evil.example.org' } }
    expect((await refused(path, foreign))?.status).toBe(421)
  })

  it('is taken when nothing is wrong, so that every row above shows what it says', async () => {
    const { body, status } = good.get(path) ?? {}
    expect((await peer.tell(server, path, body)).status).toBe(status)
  })
})
