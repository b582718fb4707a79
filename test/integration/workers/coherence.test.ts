import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { hrefsOf } from '../../support/dav-client.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import type { CrashStage } from '../crash/stage.ts'
import { openLanes, until, workersStage, type Lane } from './stage.ts'

jest.setTimeout(60_000)

let stage: CrashStage
let lanes: Lane[]

beforeAll(async () => {
  stage = await workersStage()
  await stage.start()
  lanes = await openLanes(stage)
})

afterAll(async () => {
  for (const lane of lanes) lane[Symbol.dispose]()
  await stage[Symbol.asyncDispose]()
})

const rounds = 60

/** One lane after another writes, and the next one looks. */
const pairOf = (round: number): [writer: Lane['dav'], reader: Lane['dav']] => {
  const [one, other] = [lanes[round % lanes.length], lanes[(round + 1) % lanes.length]]
  if (!one || !other) throw new Error('there are no lanes')
  return [one.dav, other.dav]
}

const bodyOf = (round: number): string => `round ${round} `.repeat(1 + (round % 7))

const sizeIn = ({ text }: { text: string }, name: string): string | undefined =>
  new RegExp(`/${name}</D:href>.*?<D:getcontentlength>(\\d+)<`, 's').exec(text)?.[1]

const listed = (answer: { text: string }): string[] =>
  hrefsOf(answer).map((href) => href.split('/').filter(Boolean).at(-1) ?? '')

describe('what one worker has acknowledged, the others show', () => {
  beforeAll(async () => {
    await lanes[0]?.dav.mkcol('seen')
    // A directory is kept from its second listing on.
    for (const { dav } of lanes) for (let i = 0; i < 3; i += 1) await dav.propfind('seen/', '1')
  })

  it('new content, in GET and in listings', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [writer, reader] = pairOf(round)
      const body = bodyOf(round)
      const put = await writer.put('seen/note.txt', body)
      expect([201, 204]).toContain(put.status)
      const list = await reader.propfind('seen/', '1')
      expect(sizeIn(list, 'note.txt')).toBe(String(body.length))
      const get = await reader.get('seen/note.txt')
      expect(get.text).toBe(body)
      expect(get.headers['etag']).toBe(put.headers['etag'])
    }
  })

  it('what was made, moved and removed', async () => {
    for (let round = 0; round < rounds; round += 1) {
      const [writer, reader] = pairOf(round)
      expect((await writer.mkcol(`seen/made-${round}`)).status).toBe(201)
      expect(listed(await reader.propfind('seen/', '1'))).toContain(`made-${round}`)
      const to = `/dav/files/alice/seen/moved-${round}`
      expect((await writer.copyOrMove('MOVE', `seen/made-${round}`, to)).status).toBe(201)
      const names = listed(await reader.propfind('seen/', '1'))
      expect(names).toContain(`moved-${round}`)
      expect(names).not.toContain(`made-${round}`)
      expect((await reader.propfind(`seen/made-${round}/`, '0')).status).toBe(404)
      expect((await writer.remove(`seen/moved-${round}`)).status).toBe(204)
      expect(listed(await reader.propfind('seen/', '1'))).not.toContain(`moved-${round}`)
      expect((await reader.get(`seen/moved-${round}`)).status).toBe(404)
    }
  })

  it('properties and locks', async () => {
    await lanes[0]?.dav.put('seen/kept.txt', 'kept')
    for (let round = 0; round < rounds / 3; round += 1) {
      const [writer, reader] = pairOf(round)
      const set = `<D:set><D:prop><t:mood xmlns:t="urn:t">m${round}</t:mood></D:prop></D:set>`
      const patch = `<D:propertyupdate xmlns:D="DAV:">${set}</D:propertyupdate>`
      expect((await writer.proppatch('seen/kept.txt', patch)).status).toBe(207)
      const asked =
        '<D:propfind xmlns:D="DAV:"><D:prop><t:mood xmlns:t="urn:t"/></D:prop></D:propfind>'
      expect((await reader.propfind('seen/kept.txt', '0', asked)).text).toContain(`>m${round}<`)
      const token = (await lock(writer, 'seen/kept.txt')).headers['lock-token'] ?? ''
      expect((await reader.put('seen/kept.txt', 'other')).status).toBe(423)
      const unlock = { headers: { 'lock-token': token } }
      expect((await writer.call('UNLOCK', 'seen/kept.txt', unlock)).status).toBe(204)
      expect((await reader.put('seen/kept.txt', 'kept')).status).toBe(204)
    }
  })
})

const lockInfo =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockinfo>'

const lock = (dav: Lane['dav'], path: string) =>
  dav.call('LOCK', path, { body: lockInfo, headers: { 'content-type': 'application/xml' } })

/** All at once, each on a connection of its own, so that every worker has its share. */
const twenty = <Result>(work: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: 20 }, (_, index) => work(index)))

const count = (answers: readonly { status: number }[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

const wholeBody = (index: number): string => `${index},`.repeat(20_000)

describe('twenty at once over all workers', () => {
  it('R12: exactly one makes what must not be there', async () => {
    for (let round = 0; round < 5; round += 1) {
      const path = `new-${round}.txt`
      const answers = await twenty((index) =>
        stage.dav().put(path, wholeBody(index), { 'if-none-match': '*' }),
      )
      expect(count(answers)).toEqual({ 201: 1, 412: 19 })
      const winner = answers.findIndex(({ status }) => status === 201)
      for (const { dav } of lanes) expect((await dav.get(path)).text).toBe(wholeBody(winner))
    }
  })

  it('R12: exactly one replaces a version, and the file is one whole body', async () => {
    await stage.dav().put('one.txt', 'first')
    for (let round = 0; round < 5; round += 1) {
      const etag = (await stage.dav().get('one.txt')).headers['etag'] ?? ''
      const answers = await twenty((index) =>
        stage.dav().put('one.txt', wholeBody(index), { 'if-match': etag }),
      )
      expect(count(answers)).toEqual({ 204: 1, 412: 19 })
      const winner = answers.findIndex(({ status }) => status === 204)
      for (const { dav } of lanes) expect((await dav.get('one.txt')).text).toBe(wholeBody(winner))
    }
  })

  it('R12: without a condition all succeed, and the file is one whole body', async () => {
    const answers = await twenty((index) => stage.dav().put('any.txt', wholeBody(index)))
    expect(answers.every(({ status }) => status === 201 || status === 204)).toBe(true)
    const found = (await stage.dav().get('any.txt')).text
    expect(Array.from({ length: 20 }, (_, index) => wholeBody(index))).toContain(found)
  })

  it('R13: exactly one gets the lock', async () => {
    await stage.dav().put('wanted.txt', 'wanted')
    const answers = await twenty(() => lock(stage.dav(), 'wanted.txt'))
    expect(count(answers)).toEqual({ 200: 1, 423: 19 })
  })

  it('R13: with the lock in hand nobody else’s write is still to come', async () => {
    for (let round = 0; round < 10; round += 1) {
      const path = `raced-${round}.txt`
      await stage.dav().put(path, 'before')
      const writes = twenty((index) => stage.dav().put(path, wholeBody(index)))
      const [one] = lanes
      if (!one) throw new Error('there are no lanes')
      expect((await lock(one.dav, path)).status).toBe(200)
      const held = (await one.dav.get(path)).text
      await writes
      expect((await one.dav.get(path)).text).toBe(held)
    }
  })
})

describe('a slow disk between looking and replacing', () => {
  it('R12: still exactly one replaces a version', async () => {
    await using slow = await workersStage()
    await slow.start('put.checked:sleep=30')
    await slow.dav().put('one.txt', 'first')
    const etag = (await slow.dav().get('one.txt')).headers['etag'] ?? ''
    const answers = await twenty((index) =>
      slow.dav().put('one.txt', wholeBody(index), { 'if-match': etag }),
    )
    expect(count(answers)).toEqual({ 204: 1, 412: 19 })
  })
})

describe('what ends access', () => {
  it('a disabled user is refused by every worker within a second', async () => {
    const { configFile, dataDir } = stage
    const args = ['--config', configFile]
    for (const { dav } of lanes) expect((await dav.propfind('', '0')).status).toBe(207)
    await runCliHere([...args, 'user', 'disable', 'alice'], dataDir)
    const disabledAt = performance.now()
    for (const { dav } of lanes) {
      await until(async () => (await dav.propfind('', '0')).status === 401, 'a refusal', 1000)
    }
    expect(performance.now() - disabledAt).toBeLessThan(1000)
  })
})
