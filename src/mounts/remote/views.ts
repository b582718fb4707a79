import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { LRUCache } from 'lru-cache'
import { keepWeighed } from '../../core/index.ts'
import {
  noGeneration,
  type DirectoryView,
  type Entry,
  type Generation,
  type PlacedProperty,
  type TreePath,
} from '../../files/index.ts'
import type { Answer } from './answers.ts'
import type { Remote } from './context.ts'
import { deadOf } from './dead.ts'
import { isPlace } from './look.ts'
import { inTime } from './multistatus.ts'
import { askProperties, entryNames, entryOf, readFound } from './propfind.ts'

/** How old a view may be. */
const maxAgeMs = 50

/** Longer answers are read as they come, each time. */
const maxAnswerBytes = 2 * 1024 * 1024

/** Of all trees together: answers, and about twice as much again for what was read in them. */
const maxBytes = 64 * 1024 * 1024

/** What several trees keep together, so that it has one bound. */
export interface ViewStore {
  readonly kept: LRUCache<string, Kept>
  readonly generation: Generation
}

/** @param generation tells of changes that other processes make to the same trees. */
export const createViewStore = (generation: Generation = noGeneration): ViewStore => ({
  kept: new LRUCache({ maxSize: maxBytes }),
  generation,
})

let treeCount = 0

interface Kept {
  bytes: Buffer
  view: DirectoryView | undefined
  /** If they were asked for. */
  dead: readonly PlacedProperty[]
  /** Too long to be kept; it stays so until it is forgotten, which costs only speed. */
  isLong: boolean
  /** When the look began that confirmed `view`, and after how many changes of ours. */
  seenAt: number
  changes: number
  running: Promise<void> | undefined
}

/** The last looks at directories of one remote tree, for whoever lists them again. */
export interface Views {
  /**
   * `undefined` for what is no directory, is not there, or is too long to be kept.
   *
   * @param withDead whether `findDead` will be called next.
   */
  find(path: TreePath, withDead?: boolean): Promise<DirectoryView | undefined>
  /** Dead properties of a directory and its members; `undefined` as above. */
  findDead(path: TreePath): Promise<readonly PlacedProperty[] | undefined>
  /** Something was changed by us: no look that began before counts. */
  changed(): void
}

export function createViews(remote: () => Remote, { kept: views, generation }: ViewStore): Views {
  treeCount += 1
  const tree = treeCount
  let changes = 0
  let lastGeneration = generation.current()

  /** What another process has changed counts as if we had. */
  function noticeOthers(): void {
    const current = generation.current()
    if (current !== lastGeneration) changes += 1
    lastGeneration = current
  }

  async function look(path: TreePath, key: string, known: Kept, withDead: boolean): Promise<void> {
    const before = changes
    const seenAt = performance.now()
    const bytes = await fetchListing(remote(), path, withDead)
    known.isLong = bytes === 'long'
    if (bytes === 'long') known.view = undefined
    else if (!known.view || !bytes.body.equals(known.bytes)) {
      const { view, dead } = await parseListing(remote(), path, bytes, withDead)
      known.view = view
      known.dead = dead
      known.bytes = known.view ? bytes.body : Buffer.alloc(0)
    }
    known.seenAt = seenAt
    known.changes = before
    // Another may have taken its place meanwhile.
    if (views.peek(key) === known) {
      keepWeighed(views, key, known, 1024 + 3 * known.bytes.length)
    }
  }

  /** Those with dead properties and those without are two answers, each compared with its like. */
  const keyOf = (path: TreePath, withDead: boolean): string =>
    `${tree}/${withDead ? 'all' : 'entries'}/${path.join('/')}`

  async function find(path: TreePath, withDead: boolean): Promise<Kept | undefined> {
    if (!isPlace(path)) return undefined
    noticeOthers()
    const earliest = performance.now() - maxAgeMs
    const key = keyOf(path, withDead)
    const known = views.get(key) ?? unseen()
    if (known.isLong) return undefined
    if (views.peek(key) !== known) keepWeighed(views, key, known, 1024)
    // Whoever joins a look that began too early waits for the next.
    for (let attempt = 0; attempt < 3; attempt += 1) {
      if (known.seenAt >= earliest && known.changes === changes) return known
      known.running ??= look(path, key, known, withDead).finally(() => {
        known.running = undefined
      })
      await known.running
      if (known.view === undefined) return undefined
    }
    return undefined
  }

  return {
    find: async (path, withDead = false) => (await find(path, withDead))?.view,
    findDead: async (path) => (await find(path, true))?.dead,
    changed() {
      changes += 1
      generation.bump()
    },
  }
}

const unseen = (): Kept => ({
  bytes: Buffer.alloc(0),
  view: undefined,
  dead: [],
  isLong: false,
  seenAt: -Infinity,
  changes: 0,
  running: undefined,
})

interface Listing {
  readonly answer: Answer
  readonly body: Buffer
}

async function fetchListing(
  remote: Remote,
  path: TreePath,
  withDead: boolean,
): Promise<Listing | 'long'> {
  const names = withDead ? 'allprop' : entryNames
  const answer = await askProperties(remote.call, path, '1', names)
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of inTime(answer, remote)) {
    size += chunk.length
    if (size > maxAnswerBytes) return 'long'
    chunks.push(chunk)
  }
  return { answer, body: Buffer.concat(chunks, size) }
}

async function parseListing(
  remote: Remote,
  path: TreePath,
  { answer, body }: Listing,
  withDead: boolean,
): Promise<{ view: DirectoryView | undefined; dead: readonly PlacedProperty[] }> {
  const dead: PlacedProperty[] = []
  const members = new Map<string, Entry>()
  let entry: Entry | undefined
  const whole = { ...answer, body: Readable.from(partsOf(body)) }
  for await (const batch of readFound(whole, remote)) {
    for (const { member, response } of batch) {
      if (withDead) dead.push(...deadOf(path, member, response))
      if (member === undefined) entry ??= entryOf(remote.nameOf(path), response)
      else if (!members.has(member)) members.set(member, entryOf(member, response))
    }
  }
  if (entry) remote.seen(path, entry)
  if (entry?.kind !== 'directory') return { view: undefined, dead: [] }
  lastVersion += 1
  return { view: { version: lastVersion, entry, members: [...members.values()] }, dead }
}

/** What is parsed at once: a millisecond's work, and as much as young garbage may be. */
const partBytes = 16 * 1024

/** A long answer keeps nobody else waiting while it is read. */
async function* partsOf(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += partBytes) {
    yield body.subarray(at, at + partBytes)
    await turn()
  }
}

/** Never used twice in this process, whichever tree it is for; far from what a home counts. */
let lastVersion = 2 ** 40
