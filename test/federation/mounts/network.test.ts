import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { hrefsOf } from '../../support/dav-client.ts'
import type { Fault } from '../../support/faults.ts'
import type { Answer } from '../../support/http-request.ts'
import { expectOurs } from '../../support/mount-checks.ts'
import { mountPair, type MountPair } from '../../support/mount-pair.ts'

/** Two davmesh servers with a mount between them, over a network that fails in one direction. */
let pair: MountPair

beforeAll(async () => {
  pair = await mountPair()
})

afterAll(() => pair.close())

beforeEach(async () => {
  pair.heal()
  pair.clock.advance('31m')
  const { files, path } = pair
  expect((await files.put(`${path}/ten.txt`, '0123456789')).status).toBeLessThan(300)
  await files.remove(`${path}/new.txt`)
  await files.remove(`${path}/x.txt`)
})

const send: Readonly<Record<string, (pair: MountPair) => Promise<Answer>>> = {
  PROPFIND: ({ files, path }) => files.propfind(`${path}/`, '1'),
  GET: ({ files, path }) => files.get(`${path}/ten.txt`),
  PUT: ({ files, path }) => files.put(`${path}/new.txt`, 'new'),
  DELETE: ({ files, path }) => files.remove(`${path}/ten.txt`),
  MOVE: ({ files, path }) =>
    files.copyOrMove('MOVE', `${path}/ten.txt`, `/dav/files/bob/${path}/x.txt`),
}
const methods = Object.keys(send)

/** What alice's folder holds afterwards, if the method was done and if it was not. */
const untouched = ['beach.txt', 'more', 'ten.txt']
const done: Readonly<Record<string, string[]>> = {
  PUT: ['beach.txt', 'more', 'new.txt', 'ten.txt'],
  DELETE: ['beach.txt', 'more'],
  MOVE: ['beach.txt', 'more', 'x.txt'],
}

const folder = async (): Promise<string> => {
  const { home } = await pair.alices.services().users.getUser('alice')
  return join(home, 'Holiday')
}
const held = async (): Promise<string[]> => (await readdir(await folder())).sort()

async function under(fault: Fault, method: string): Promise<Answer | undefined> {
  pair.alices.proxy.always((path, asked) =>
    path.startsWith('/dav/') && asked === method ? fault : undefined,
  )
  // An answer that breaks off is an error for the client, as it should be.
  const answer = await send[method]?.(pair).catch(() => undefined)
  pair.heal()
  if (answer) expectOurs(pair.bobs, answer, [...pair.alices.secrets])
  expect((await pair.files.get('own.txt')).text).toBe('my own')
  expect(hrefsOf(await pair.files.propfind('Shared/', '1'))).toHaveLength(2)
  return answer
}

describe.each<Fault>(['drop', 'reset', 'error', 'busy'])('a request that meets %s', (fault) => {
  it.each(methods)('is 503 for %s, and nothing has happened', async (method) => {
    const answer = await under(fault, method)
    expect(answer?.status).toBe(503)
    expect(Number(answer?.headers['retry-after'])).toBeGreaterThan(0)
    expect(await held()).toEqual(untouched)
  })
})

describe.each<[Fault, number]>([
  ['drop-answer', 503],
  ['reset-answer', 503],
  ['bad-gateway', 503],
  ['noise', 502],
])('an answer that meets %s', (fault, status) => {
  it.each(methods)(
    `is ${status} for %s, which has happened whole or not at all`,
    async (method) => {
      const answer = await under(fault, method)
      expect(answer?.status).toBe(status)
      expect([untouched, done[method]]).toContainEqual(await held())
      for (const name of await held()) {
        if (name === 'more') continue
        const content = await readFile(join(await folder(), name), 'utf8')
        expect(['sun and sand', '0123456789', 'new']).toContain(content)
      }
    },
  )
})

describe('an answer of nonsense', () => {
  it('to PROPFIND is 502', async () => {
    expect((await under('garbage', 'PROPFIND'))?.status).toBe(502)
  })
})

describe('an answer that is cut off', () => {
  it('to PROPFIND is 502 or 503', async () => {
    expect([502, 503]).toContain((await under('truncate', 'PROPFIND'))?.status)
  })

  it('to GET is never taken for whole', async () => {
    const answer = await under('truncate', 'GET')
    expect(answer === undefined || answer.status >= 500).toBe(true)
  })
})

describe('a request that is late', () => {
  it.each(methods)('is as good as one in time: %s', async (method) => {
    expect((await under('delay', method))?.status).toBeLessThan(300)
    expect(await held()).toEqual(done[method] ?? untouched)
  })
})

describe('a request that arrives twice', () => {
  it.each(['PUT', 'DELETE', 'MOVE'])('leaves what %s leaves', async (method) => {
    await under('duplicate', method)
    expect(await held()).toEqual(done[method])
  })
})
