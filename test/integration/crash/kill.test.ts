import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import type { FaultPoint } from '../../../src/core/index.ts'
import type { Answer } from '../../support/http-request.ts'
import { crashStage, type CrashStage, type Dav, type Files } from './stage.ts'

/** Each case starts the built server many times. */
jest.setTimeout(120_000)

let stage: CrashStage

beforeAll(async () => {
  stage = await crashStage()
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

const old: Files = {
  'one.txt': 'old one',
  'two.txt': 'old two',
  'dir/a.txt': 'dir a',
  'dir/sub/b.txt': 'dir b',
  'full/c.txt': 'full c',
  'full/deep/d.txt': 'full d',
}

const without = (prefix: string): Files =>
  Object.fromEntries(Object.entries(old).filter(([path]) => !path.startsWith(prefix)))

/** What is below `from`, as if it were below `to`. */
const below = (from: string, to: string): Files =>
  Object.fromEntries(
    Object.entries(old)
      .filter(([path]) => path.startsWith(from))
      .map(([path, content]) => [to + path.slice(from.length), content]),
  )

const marked = ['one.txt', 'two.txt', 'dir', 'dir/sub/b.txt', 'full', 'full/c.txt']

const update = (value: string): string =>
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
  `<x:was xmlns:x="urn:x">${value}</x:was></D:prop></D:set></D:propertyupdate>`

/** Gives resources a property that says where they were. */
async function mark(dav: Dav): Promise<void> {
  for (const path of marked) expect((await dav.proppatch(path, update(path))).status).toBe(207)
}

/** What the property says, of everything that was there or may be there now. */
async function marks(dav: Dav, { files }: Outcome): Promise<Record<string, string>> {
  const body = '<D:propfind xmlns:D="DAV:"><D:prop><x:was xmlns:x="urn:x"/></D:prop></D:propfind>'
  const found: Record<string, string> = {}
  for (const path of new Set([...resourcesOf(old), ...resourcesOf(files)])) {
    const { status, text } = await dav.propfind(path, '0', body)
    const [, value] = />([^<>]+)<\/[^>]*was>/.exec(text) ?? []
    if (status === 207 && value !== undefined) found[path] = value
  }
  return found
}

/** Files and folders alike. */
const resourcesOf = (files: Files): Set<string> =>
  new Set(
    Object.keys(files).flatMap((path) => {
      const segments = path.replace(/\/$/, '').split('/')
      return segments.map((_, index) => segments.slice(0, index + 1).join('/'))
    }),
  )

interface Outcome {
  readonly files: Files
  /** Where the properties are, by what they say of where they were. */
  readonly marks: Readonly<Record<string, string>>
}

const asMarks = (paths: readonly string[]): Record<string, string> =>
  Object.fromEntries(paths.map((path) => [path, path]))

const before: Outcome = { files: old, marks: asMarks(marked) }

interface Case {
  readonly name: string
  readonly request: (dav: Dav, folder: string) => Promise<Answer>
  readonly after: Outcome
  /** Points at which the old state stands after a restart. */
  readonly undone: readonly FaultPoint[]
  /** Points at which the new one does. */
  readonly done: readonly FaultPoint[]
}

const onto =
  (method: 'COPY' | 'MOVE', from: string, to: string): Case['request'] =>
  (dav, folder) =>
    dav.copyOrMove(method, from, `/dav/files/alice/${folder}/${to}`)

const cases: Case[] = [
  {
    name: 'PUT over a file',
    request: (dav) => dav.put('one.txt', 'new'),
    after: { files: { ...old, 'one.txt': 'new' }, marks: before.marks },
    undone: ['put.opened', 'put.written', 'put.placing'],
    done: ['put.placed'],
  },
  {
    name: 'PUT of a new file, only if there is none',
    request: (dav) => dav.put('dir/new.txt', 'new', { 'if-none-match': '*' }),
    after: { files: { ...old, 'dir/new.txt': 'new' }, marks: before.marks },
    undone: ['put.opened', 'put.written', 'put.placing'],
    done: ['place.linked', 'put.placed'],
  },
  {
    name: 'MOVE of a file over a file',
    request: onto('MOVE', 'one.txt', 'two.txt'),
    after: {
      files: { ...without('one.txt'), 'two.txt': 'old one' },
      marks: { ...asMarks(marked.slice(2)), 'two.txt': 'one.txt' },
    },
    undone: ['change.noted', 'place.placing'],
    done: ['place.placed', 'change.done', 'change.settled'],
  },
  {
    name: 'MOVE of a folder over a full folder',
    request: onto('MOVE', 'dir', 'full'),
    after: {
      files: { 'one.txt': 'old one', 'two.txt': 'old two', ...below('dir/', 'full/') },
      marks: {
        ...asMarks(['one.txt', 'two.txt']),
        full: 'dir',
        'full/sub/b.txt': 'dir/sub/b.txt',
      },
    },
    undone: ['change.noted', 'place.placing', 'place.set-aside'],
    done: ['place.replaced', 'change.done'],
  },
  {
    name: 'COPY of a folder over a full folder',
    request: onto('COPY', 'dir', 'full'),
    after: {
      files: { ...without('full/'), ...below('dir/', 'full/') },
      marks: {
        ...asMarks(['one.txt', 'two.txt', 'dir', 'dir/sub/b.txt']),
        full: 'dir',
        'full/sub/b.txt': 'dir/sub/b.txt',
      },
    },
    undone: ['change.noted', 'copy.copied', 'copy.built', 'place.placing', 'place.set-aside'],
    done: ['place.replaced', 'change.done'],
  },
  {
    name: 'DELETE of a folder',
    request: (dav) => dav.remove('full'),
    after: { files: without('full/'), marks: asMarks(marked.slice(0, 4)) },
    undone: ['change.noted', 'remove.removing'],
    done: ['remove.hidden', 'change.done'],
  },
]

describe('R1, R2: killed within a change', () => {
  it.each(cases)('$name is done or not done', async ({ request, after, undone, done }) => {
    const points = [...undone, ...done]
    await stage.start(`${points[0] ?? 'put.opened'}:kill`)
    for (const [index, point] of points.entries()) {
      // A folder of its own, since the server that looks is the one that will be killed next.
      const folder = point
      await stage.fill(folder, old)
      await mark(stage.dav(folder))
      await stage.dies(request(stage.dav(folder), folder))
      const next = points[index + 1]
      await stage.start(next && `${next}:kill`)
      const outcome = undone.includes(point) ? before : after
      const found = { files: stage.files(folder), marks: await marks(stage.dav(folder), after) }
      expect({ point, ...found }).toEqual({ point, ...outcome })
    }
    expect(stage.process().err()).not.toContain('FAULT')
  })
})

describe('R2: locks, when killed within a MOVE', () => {
  it('stay where they are until it is done, and stay with a target that was replaced', async () => {
    const points = ['change.noted', 'place.placed', 'change.done'] as const
    await stage.start(`${points[0]}:kill`)
    for (const [index, point] of points.entries()) {
      const folder = `lock-${point}`
      await stage.fill(folder, old)
      const base = `/dav/files/alice/${folder}`
      const dav = stage.dav(folder)
      const [one, two] = [await lock(dav, 'one.txt'), await lock(dav, 'two.txt')]
      const If = `<${base}/one.txt> (<${one}>) <${base}/two.txt> (<${two}>)`
      const headers = { destination: `${base}/two.txt`, if: If }
      await stage.dies(dav.call('MOVE', 'one.txt', { headers }))
      const next = points[index + 1]
      await stage.start(next && `${next}:kill`)
      const after = stage.dav(folder)
      expect((await after.put('two.txt', 'x')).status).toBe(423)
      expect((await after.put('one.txt', 'x')).status).toBe(point === 'change.noted' ? 423 : 201)
    }
  })
})

async function lock(dav: Dav, path: string): Promise<string> {
  const body =
    '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
    '<D:locktype><D:write/></D:locktype></D:lockinfo>'
  const reply = await dav.call('LOCK', path, { headers: { 'content-type': 'text/xml' }, body })
  return /<(.+)>/.exec(reply.headers['lock-token'] ?? '')?.[1] ?? ''
}
