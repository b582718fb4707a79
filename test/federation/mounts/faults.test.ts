import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { hrefsOf } from '../../support/dav-client.ts'
import type { Answer } from '../../support/http-request.ts'
import { expectOurs, rememberedOf } from '../../support/mount-checks.ts'
import { mountStage, type DavClient, type MountStage } from '../../support/mount-stage.ts'
import {
  badDownloads,
  badLists,
  bareSuccess,
  listOf,
  nonsense,
  outages,
  refusal,
  silences,
  whenListed,
} from '../../support/peer/dav-misdeeds.ts'
import type { Hostile } from '../../support/peer/independent-peer.ts'

jest.setTimeout(60_000)

type Mount = Awaited<ReturnType<MountStage['mount']>>

/** What a client does in a mount; MOVE and COPY stay inside, where the peer does them. */
const methods: Readonly<Record<string, (files: DavClient, path: string) => Promise<Answer>>> = {
  PROPFIND: (files, path) => files.propfind(`${path}/`, '1'),
  GET: (files, path) => files.get(`${path}/ten.txt`),
  PUT: (files, path) => files.put(`${path}/new.txt`, 'new'),
  MKCOL: (files, path) => files.mkcol(`${path}/new`),
  DELETE: (files, path) => files.remove(`${path}/ten.txt`),
  MOVE: (files, path) =>
    files.copyOrMove('MOVE', `${path}/ten.txt`, `/dav/files/bob/${path}/x.txt`),
  COPY: (files, path) =>
    files.copyOrMove('COPY', `${path}/ten.txt`, `/dav/files/bob/${path}/x.txt`),
}
const methodNames = Object.keys(methods)

let stage: MountStage
/** The one that goes wrong, and one that stays well. */
let bad: Mount
let good: Mount

beforeAll(async () => {
  stage = await mountStage()
  bad = await stage.mount()
  good = await stage.mount()
})

afterAll(() => stage.close())

const send = (method: string): Promise<Answer> =>
  (methods[method] as NonNullable<(typeof methods)[string]>)(stage.files, bad.path)

/** Long enough for any breaker to try again; then it is seen that everything works. */
async function recover(): Promise<void> {
  bad.sender.behave()
  stage.clock.advance('31m')
  expect((await stage.files.get(`${bad.path}/ten.txt`)).text).toBe('0123456789')
}

beforeEach(recover)

/** Everything else goes on as if nothing were wrong with one sender. */
async function expectOthersUnaffected(): Promise<void> {
  expect((await stage.files.get('own.txt')).text).toBe('my own')
  expect((await stage.files.get(`${good.path}/beach.txt`)).text).toBe('sun and sand')
  const calls = stage.server.outboundCalls()
  const listing = await stage.files.propfind('Shared/', '1')
  expect([listing.status, hrefsOf(listing).length]).toEqual([207, 3])
  expect((await stage.files.propfind('', '1')).status).toBe(207)
  expect(stage.server.outboundCalls()).toBe(calls)
}

/** One request while the sender does this; nothing of it is stored or told, and nobody else hurt. */
async function during(by: Hostile, method: string): Promise<Answer> {
  const remembered = rememberedOf(stage.server, bad.id)
  const answer = await harmlessly(by, method)
  expect(rememberedOf(stage.server, bad.id)).toEqual(remembered)
  return answer
}

/** The same, but what is seen may be remembered. */
async function harmlessly(by: Hostile, method: string): Promise<Answer> {
  const stored = bad.sender.store.list()
  bad.sender.misbehave(by)
  const answer = await send(method)
  expectOurs(stage.server, answer, bad.sender.everIssued)
  expect(answer.text).not.toMatch(/secret\.php|elsewhere\.example/)
  await expectOthersUnaffected()
  expect(bad.sender.store.list()).toEqual(stored)
  return answer
}

describe.each(Object.entries({ ...silences, ...outages }))('a sender that is %s', (_, by) => {
  it.each(methodNames)('is 503 with Retry-After for %s', async (method) => {
    const answer = await during(by, method)
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  })
})

describe('a sender where nobody listens', () => {
  it.each(methodNames)('is 503 with Retry-After for %s', async (method) => {
    await bad.sender.goAway()
    const answer = await send(method)
    await expectOthersUnaffected()
    await bad.sender.answerAgain()
    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
    expectOurs(stage.server, answer, [])
  })
})

describe.each(Object.entries(nonsense))('%s', (_, by) => {
  it.each(methodNames)('is 502 for %s', async (method) => {
    expect((await during(by, method)).status).toBe(502)
  })
})

describe('a listing', () => {
  it.each(Object.entries(badLists))('that is %s is refused', async (_, by) => {
    const { status } = await during(by, 'PROPFIND')
    expect([502, 503]).toContain(status)
  })

  it.each(Object.entries(badLists))('that begins well and is %s is refused', async (_, by) => {
    bad.sender.misbehave(whenListed(by))
    // Of a long one the beginning has gone out; then it breaks off.
    const status = await send('PROPFIND').then(
      (answer) => answer.status,
      () => 'broken off',
    )
    expect([502, 503, 'broken off']).toContain(status)
    await expectOthersUnaffected()
  })

  it('shows nothing that is not directly in the folder (H9)', async () => {
    const answer = await harmlessly(
      listOf(
        'http://elsewhere.example.org/remote/trip/evil-1',
        '//elsewhere.example.org/remote/trip/evil-2',
        '/etc/evil-3',
        'OWN/../evil-4',
        'OWN/..%2fevil-5',
        'OWN/a%2fevil-6',
        'OWN/a/evil-7',
        'OWN/%2e%2e/evil-8',
        'OWN/evil-9%00.txt',
        'OWN/good.txt',
        'OWN/evil-%ff',
        'javascript:evil-10',
        'http://[evil-11',
      ),
      'PROPFIND',
    )
    expect(answer.status).toBe(207)
    expect(hrefsOf(answer)).toEqual([
      `/dav/files/bob/${bad.path}/`,
      `/dav/files/bob/${bad.path}/good.txt`,
    ])
  })
})

describe('a download', () => {
  it.each(Object.entries(badDownloads))('that is %s is never taken for whole', async (_, by) => {
    bad.sender.misbehave(by, 'GET')
    await expect(send('GET').then(({ status }) => status >= 500 || 'whole')).resolves.toBe(true)
    await expectOthersUnaffected()
  })
})

describe('a refusal of the sender', () => {
  it.each([
    [400, [400]],
    [401, [403]],
    [403, [403]],
    // RFC 9110 has no better word for a folder that is not there.
    [404, [409]],
    [405, [403, 405, 502]],
    [409, [409]],
    [412, [412, 502]],
    [413, [413]],
    [418, [502]],
    [423, [423]],
    [429, [503]],
    [507, [507]],
  ])('with %i is our own answer to PUT, one of %p', async (status, ours) => {
    const answer = await during(refusal(status), 'PUT')
    expect(ours).toContain(answer.status)
  })
})

describe('a success that says nothing', () => {
  it.each(['PUT', 'MKCOL', 'DELETE', 'MOVE', 'COPY'])('is one for %s', async (method) => {
    bad.sender.misbehave(bareSuccess, method)
    expect((await send(method)).status).toBeLessThan(300)
  })
})

describe('the breaker', () => {
  it('answers at once after five failures, without a request, and lets one probe decide', async () => {
    bad.sender.misbehave(silences['a reset before the answer'])
    for (let count = 0; count < 5; count += 1) expect((await send('GET')).status).toBe(503)
    const calls = stage.server.outboundCalls()
    const answers = await Promise.all(methodNames.map((method) => send(method)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]))
    for (const { headers } of answers) expect(Number(headers['retry-after'])).toBeGreaterThan(0)
    expect(stage.server.outboundCalls()).toBe(calls)
    await expectOthersUnaffected()
    bad.sender.behave()
    expect((await send('GET')).status).toBe(503)
    stage.clock.advance('31s')
    expect((await send('GET')).text).toBe('0123456789')
  })
})
