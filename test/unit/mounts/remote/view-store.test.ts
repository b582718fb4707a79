import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { createViewStore } from '../../../../src/mounts/index.ts'
import {
  badSender,
  collection,
  multistatus,
  response,
  sends,
  type BadSender,
} from './bad-sender.ts'

jest.setTimeout(60_000)

const mib = 1024 * 1024

describe('what is kept of the directories of senders', () => {
  let sender: BadSender

  beforeAll(async () => {
    sender = await badSender()
    sender.answer = (req, res) => {
      const url = (req.url ?? '').replace(/\/?$/, '/')
      const members = Array.from({ length: 2000 }, (_, index) => {
        const length = '<d:getcontentlength>4096</d:getcontentlength><d:resourcetype/>'
        return response(
          `${url}a-file-of-which-the-name-is-long-${'x'.repeat(180)}-${index}`,
          length,
        )
      })
      sends(207, multistatus(response(url, collection), ...members))(req, res)
    }
  })
  afterAll(() => sender.close())

  it('weighs what its answers weigh, and has one bound', async () => {
    const views = createViewStore()
    const tree = sender.treeWith({ views, patienceMs: 10_000 })
    await tree.view?.(['0'])
    const { calculatedSize: one } = views.kept
    expect(one).toBeGreaterThan(2 * mib)
    const count = Math.ceil((64 * mib) / one) + 3
    for (let index = 1; index < count; index += 1) {
      expect((await tree.view?.([String(index)]))?.members).toHaveLength(2000)
    }
    expect(views.kept.size).toBeLessThan(count)
    expect(views.kept.calculatedSize).toBeLessThanOrEqual(64 * mib)
    expect(views.kept.calculatedSize).toBeGreaterThan(64 * mib - 2 * one)
  })
})
