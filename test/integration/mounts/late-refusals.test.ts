import { afterAll, beforeAll, expect, it } from '@jest/globals'
import {
  badSender,
  response,
  says,
  sends,
  type BadSender,
} from '../../unit/mounts/remote/bad-sender.ts'
import { mountsStage, type Stage } from './stage.ts'

const size = 100_000
const facts = `<d:getcontentlength>${size}</d:getcontentlength><d:getetag>"1"</d:getetag>`

let stage: Stage
let sender: BadSender
let answerGet = sends(503, '')

beforeAll(async () => {
  stage = await mountsStage()
  sender = await badSender()
  Object.assign(await stage.mount('Trip'), sender.treeWith())
  sender.answer = (req, res) => {
    if (req.method === 'PROPFIND') says(response('/dav/share/f', facts))(req, res)
    else answerGet(req, res)
  }
})
afterAll(() => Promise.all([stage[Symbol.asyncDispose](), sender.close()]))

/** Each is looked at before its content is asked for. */
const requests: [string, Record<string, string>, number][] = [
  ['a condition', { 'if-match': '"1"' }, 200],
  ['a condition and a part', { 'if-match': '"1"', range: 'bytes=5-9' }, 206],
  ['parts', { range: 'bytes=0-4,90000-90004' }, 206],
]

const get = (headers: Record<string, string>) =>
  stage.files.call('GET', 'Shared/Trip/f', { headers })

it.each(requests)('says that the sender fails: %s', async (_name, headers) => {
  answerGet = sends(503, '')
  expect((await get(headers)).status).toBe(503)
})

it.each(requests)('asks for the content once: %s', async (_name, headers, status) => {
  answerGet = sends(200, 'x'.repeat(size), { etag: '"1"', 'content-type': 'text/plain' })
  sender.requests.length = 0
  expect((await get(headers)).status).toBe(status)
  const gets = sender.requests.filter((request) => request.startsWith('GET'))
  expect(gets).toHaveLength(headers['range']?.includes(',') ? 2 : 1)
})
