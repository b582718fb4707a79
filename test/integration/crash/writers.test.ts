import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import type { Answer } from '../../support/http-request.ts'
import { crashStage, type CrashStage } from './stage.ts'

/** The built server, and it again after a kill. */
jest.setTimeout(60_000)

let stage: CrashStage

beforeAll(async () => {
  stage = await crashStage()
  await stage.start()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

const twenty = Array.from({ length: 20 }, (_, index) => index)
const bodyOf = (writer: number): string => `writer ${writer} `.repeat(50_000)

/** How many got each status. */
function countOf(answers: readonly Answer[]): Record<number, number> {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** Twenty at once with bodies of their own; afterwards the file is whole and somebody's. */
async function writeAll(path: string, headers: Record<string, string> = {}): Promise<Answer[]> {
  const dav = stage.dav()
  const answers = await Promise.all(twenty.map((one) => dav.put(path, bodyOf(one), headers)))
  const { text } = await dav.get(path)
  const won = answers.flatMap(({ status }, one) => (status < 300 ? [bodyOf(one)] : []))
  expect(won.includes(text)).toBe(true)
  expect(Object.keys(stage.files('')).filter((name) => name.includes('.davmesh-'))).toEqual([])
  return answers
}

it('R12: of twenty writers of one new file one makes it, and one whole body is left', async () => {
  expect(countOf(await writeAll('one.txt'))).toEqual({ 201: 1, 204: 19 })
})

it('R12: of twenty that want to replace the same version one does', async () => {
  const { headers } = await stage.dav().get('one.txt')
  const match = { 'if-match': headers['etag'] ?? '' }
  expect(countOf(await writeAll('one.txt', match))).toEqual({ 204: 1, 412: 19 })
})

it('R12: of twenty that want to make a file where there is none one does', async () => {
  const answers = await writeAll('two.txt', { 'if-none-match': '*' })
  expect(countOf(answers)).toEqual({ 201: 1, 412: 19 })
})

it('R13: of twenty that want the lock one gets it, and has it after a kill', async () => {
  const body =
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
    '<D:locktype><D:write/></D:locktype></D:lockinfo>'
  const headers = { 'content-type': 'text/xml', timeout: 'Second-600' }
  const dav = stage.dav()
  const answers = await Promise.all(
    twenty.map(() => dav.call('LOCK', 'one.txt', { headers, body })),
  )
  expect(countOf(answers)).toEqual({ 200: 1, 423: 19 })
  const token = answers.find(({ status }) => status === 200)?.headers['lock-token'] ?? ''
  process.kill(stage.process().pid, 'SIGKILL')
  await stage.process().ended
  await stage.start()
  expect((await stage.dav().put('one.txt', 'x')).status).toBe(423)
  expect((await stage.dav().put('one.txt', 'x', { if: `(${token})` })).status).toBe(204)
})
