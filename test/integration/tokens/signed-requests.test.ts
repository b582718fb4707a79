import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { expectInvariants } from '../../support/invariants.ts'
import type { TokenRequestOptions } from '../../support/peer/independent-peer.ts'
import { fourComponents, newPeerKey } from '../../support/peer/signing.ts'
import { startServer } from '../../support/start-server.ts'
import { expectOAuthError, formOf, tokenStage, type TokenStage } from '../../support/token-stage.ts'

let stage: TokenStage

beforeAll(async () => {
  stage = await tokenStage()
})

afterAll(() => stage.close())

type Row = [name: string, how: (now: number) => TokenRequestOptions]

/** Each row is genuinely signed and must be refused without anybody being asked for a key. */
async function expectRefused(how: TokenRequestOptions, status = 401): Promise<void> {
  const { server, peer, share } = stage
  const seen = peer.requests.length
  const ask = () => peer.askToken(server, share.secret, how)
  const error = status === 400 ? 'invalid_request' : 'invalid_client'
  expectOAuthError((await expectInvariants(server, ask))[0], status, error)
  expect(peer.requests).toHaveLength(seen)
}

const second = (input: string): TokenRequestOptions => ({
  extra: [
    ['Signature-Input', input],
    ['Signature', `${input.split('=')[0] ?? ''}=:AAAA:`],
  ],
})
const fourth = fourComponents.join(' ')

describe('which signature counts (robustness C1, S26, S28)', () => {
  it.each<Row>([
    ['two tagged ones', (now) => second(`two=(${fourth});created=${now};keyid="k#1";tag="ocm"`)],
    ['one label twice', (now) => second(`ocm=(${fourth});created=${now};keyid="k#1"`)],
    ['a label only in Signature-Input', () => ({ extra: [['Signature-Input', 'x=();created=1']] })],
    ['a label only in Signature', () => ({ extra: [['Signature', 'x=:AAAA:']] })],
    ['an empty Signature', () => ({ extra: { signature: '' } })],
    ['a Signature that is a string', () => ({ extra: { signature: 'ocm="AAAA"' } })],
    ['a Signature-Input that is no dictionary', () => ({ extra: { 'signature-input': '(((' } })],
    ['a parameter twice', (now) => ({ parameters: { keyid: `"k#1";created=${now}` } })],
    ['a tag that is a token', () => ({ parameters: { tag: 'ocm' } })],
  ])('refuses %s', async (_name, how) => {
    await expectRefused(how(stage.server.clock.seconds()))
  })

  it('C15 refuses 500 labels, and 15 KiB of one, without looking for a key', async () => {
    const labels = Array.from({ length: 500 }, (_, index) => `l${index}=();created=1`)
    await expectRefused({ extra: [['Signature-Input', labels.join(', ')]] })
    await expectRefused({ parameters: { nonce: `"${'n'.repeat(15_000)}"` } })
  })

  it('takes another tag for no OCM signature, which a signing peer must send', async () => {
    const { server, peer, share } = stage
    const ask = () => peer.askToken(server, share.secret, { parameters: { tag: '"other"' } })
    expectOAuthError((await expectInvariants(server, ask))[0], 401, 'invalid_client')
  })
})

describe('what a signature covers (robustness C3, C4, S27, S28)', () => {
  const without = (name: string) => fourComponents.filter((component) => component !== name)
  const instead = (name: string, variant: string) =>
    fourComponents.map((component) => (component === name ? variant : component))

  it.each(fourComponents)('C3 is refused without %s', async (name) => {
    await expectRefused({ components: without(name) })
  })

  it.each([
    '"content-digest";key="sha-256"',
    '"content-digest";bs',
    '"content-digest";sf',
    '"content-digest";req',
    '"content-digest";tr',
    '"Content-Digest"',
    '"repr-digest"',
  ])('C4 is refused with %s instead of the bare field', async (variant) => {
    await expectRefused({ components: instead('"content-digest"', variant) })
  })

  it.each([
    ['twice the same', [...fourComponents, '"@method"']],
    ['an unknown derived one', [...fourComponents, '"@everything"']],
    ['one of a response', [...fourComponents, '"@status"']],
    ['a field that was not sent', [...fourComponents, '"x-absent"']],
    ['none at all', []],
  ])('is refused when it covers %s', async (_name, components) => {
    await expectRefused({ components })
  })

  it('is refused in the label era without the date', async () => {
    await expectRefused({ parameters: { tag: undefined } })
  })
})

describe('when a signature was made (robustness C6, S29)', () => {
  it.each<Row>([
    ['without created', () => ({ parameters: { created: undefined } })],
    ['created "never"', () => ({ parameters: { created: '"never"' } })],
    ['created 1.5', () => ({ parameters: { created: '1.5' } })],
    ['created in 61 s', (now) => ({ created: now + 61 })],
    ['created 301 s ago', (now) => ({ created: now - 301 })],
    ['expired', (now) => ({ parameters: { expires: String(now - 1) } })],
    ['with expires as a string', (now) => ({ parameters: { expires: `"${now + 60}"` } })],
  ])('refuses one %s', async (_name, how) => {
    await expectRefused(how(stage.server.clock.seconds()))
  })

  it.each([60, -300])('accepts one created %i s from now', async (offset) => {
    const { server, peer, share } = stage
    const created = server.clock.seconds() + offset
    expect((await peer.askToken(server, share.secret, { created })).status).toBe(200)
  })
})

describe('whose signature it is (robustness C7, C9, S30, S32)', () => {
  const named = (keyid: string | undefined): TokenRequestOptions => ({ parameters: { keyid } })

  it.each<[string, () => string | undefined]>([
    ['missing', () => undefined],
    ['empty', () => '""'],
    ['a token', () => 'key'],
    ['relative', () => '"/ocm#peer-key"'],
    ['without fragment', () => `"${stage.peer.url}/ocm"`],
    ['with userinfo', () => `"http://${stage.peer.host}@${stage.stranger.host}/ocm#peer-key"`],
    ['with credentials', () => `"http://u:p@${stage.peer.host}/ocm#peer-key"`],
    ['of another port', () => `"${stage.stranger.url}/ocm#peer-key"`],
    [
      'with a trailing dot',
      () => `"http://localhost.:${stage.peer.host.split(':')[1] ?? ''}/ocm#k"`,
    ],
    ['a look-alike', () => '"https://xn--pple-43d.example.org/ocm#peer-key"'],
    ['ftp:', () => `"ftp://${stage.peer.host}/ocm#peer-key"`],
    ['8 KiB long', () => `"${stage.peer.url}/ocm#${'k'.repeat(8192)}"`],
  ])('C7 refuses a keyid that is %s', async (_name, keyId) => {
    await expectRefused(named(keyId()))
  })

  it('C7 refuses a plain-http keyid outside of development', async () => {
    const secure = await startServer({ config: { dev: false } })
    const answers = await expectInvariants(secure, () => stage.peer.askToken(secure, 'x'))
    await secure.close()
    expectOAuthError(answers[0], 401, 'invalid_client')
  })

  it.each([
    ['HMAC', '"hmac-sha256"'],
    ['a JOSE name', '"EdDSA"'],
    ['another JOSE name', '"Ed25519"'],
    ['a token', 'ed25519'],
    ['unknown', '"rot13"'],
  ])('C9 refuses an alg that is %s before looking for a key', async (_name, alg) => {
    await expectRefused({ parameters: { alg } })
  })

  it('C9 refuses an alg that disagrees with the key', async () => {
    await expectRefused({ parameters: { alg: '"ecdsa-p256-sha256"' } })
  })

  it("refuses another server's key, and our own", async () => {
    await expectRefused({ key: stage.stranger.key })
    const ours = newPeerKey(`${stage.server.url}/ocm#key-1`)
    await expectRefused({ key: ours })
  })

  it('refuses a right keyid with a wrong signature', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    await expectRefused({ signWith: privateKey })
    await expectRefused({ extra: { signature: 'ocm=:AAAA:' } })
    await expectRefused({ extra: { signature: `ocm=:${Buffer.alloc(65).toString('base64')}:` } })
  })
})

describe('the body of a signed message (S34)', () => {
  const digest = (name: string, text = 'x') =>
    `${name}=:${createHash(name.replace('-', '')).update(text).digest('base64')}:`
  const withField = (value: string): TokenRequestOptions => ({
    fields: { 'content-digest': value },
  })

  it.each([
    ['of another body', () => digest('sha-256')],
    ['only of a deprecated algorithm', () => 'md5=:rL0Y20zC+Fzt72VPzMSk2A==:'],
    ['with one right and one wrong', () => digest('sha-512')],
    ['that is no dictionary', () => 'sha-256'],
    ['that is empty', () => 'sha-256=::'],
  ])('is refused with a digest %s', async (name, value) => {
    const body = formOf(stage.fields())
    const right = digest('sha-256', body)
    const wrong = name.startsWith('with one right') ? `${right}, ${value()}` : value()
    await expectRefused({ ...withField(wrong), body }, 400)
  })

  it('is refused with a signed length that is not its own', async () => {
    const body = formOf(stage.fields())
    const extra = { 'content-length': String(body.length) }
    await expectRefused({ body, extra, fields: { 'content-length': '5' } })
  })
})

describe('for whom a message was signed (robustness C13, S31)', () => {
  it('refuses a message for another path or origin', async () => {
    const { server, peer, share } = stage
    const elsewhere = (url: string) => () =>
      peer.askToken({ url, clock: server.clock }, share.secret, {
        sendTo: `${server.url}/ocm/token`,
      })
    for (const url of ['https://other.example.org', `${server.url}/x`, `${server.url}//`]) {
      expectOAuthError((await expectInvariants(server, elsewhere(url)))[0], 401, 'invalid_client')
    }
    const query = { sendTo: `${server.url}/ocm/token?x=1` }
    await expectRefused(query)
  })

  it('answers 421 when Host names another site, in the dialect of the endpoint', async () => {
    const { server, peer, share } = stage
    const ask = () => peer.askToken(server, share.secret, { extra: { host: 'evil.example.org' } })
    const [answer] = await expectInvariants(server, ask)
    expect(answer?.status).toBe(421)
    expect(answer?.json()).toHaveProperty('error')
  })

  it('does not look at X-Forwarded-Host', async () => {
    const { server, peer, share } = stage
    const extra = { 'x-forwarded-host': 'evil.example.org', 'x-forwarded-proto': 'https' }
    expect((await peer.askToken(server, share.secret, { extra })).status).toBe(200)
  })
})
