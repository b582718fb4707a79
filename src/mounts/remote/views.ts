import { Readable } from 'node:stream'
import { LRUCache } from 'lru-cache'
import type { DirectoryView, Entry, TreePath } from '../../files/index.ts'
import type { Answer } from './answers.ts'
import type { Remote } from './context.ts'
import { isPlace } from './look.ts'
import { inTime } from './multistatus.ts'
import { askProperties, entryNames, entryOf, readFound } from './propfind.ts'

/** How old a view may be. */
const maxAgeMs = 50

/** Longer answers are read as they come, each time. */
const maxAnswerBytes = 2 * 1024 * 1024

/** What is kept for one tree: an answer, and about as much again for what was read in it. */
const maxBytes = 16 * 1024 * 1024

interface Kept {
  bytes: Buffer
  view: DirectoryView | undefined
  /** Too long to be kept; it stays so until it is forgotten, which costs only speed. */
  isLong: boolean
  /** When the look began that confirmed `view`. */
  seenAt: number
  running: Promise<void> | undefined
}

/** The last looks at directories of one remote tree, for whoever lists them again. */
export interface Views {
  /** `undefined` for what is no directory, is not there, or is too long to be kept. */
  find(path: TreePath): Promise<DirectoryView | undefined>
  /** Something was changed by us: no look that began before counts. */
  changed(): void
}

export function createViews(remote: () => Remote): Views {
  const views = new LRUCache<string, Kept>({ maxSize: maxBytes })
  let changes = 0

  async function look(path: TreePath, key: string, known: Kept): Promise<void> {
    const before = changes
    const seenAt = performance.now()
    const bytes = await fetchListing(remote(), path)
    known.isLong = bytes === 'long'
    if (bytes === 'long') known.view = undefined
    else if (!known.view || !bytes.body.equals(known.bytes)) {
      known.view = await parseListing(remote(), path, bytes)
      known.bytes = known.view ? bytes.body : Buffer.alloc(0)
    }
    if (changes === before) known.seenAt = seenAt
    // Another may have taken its place meanwhile.
    if (views.peek(key) === known) views.set(key, known, { size: 1024 + 2 * known.bytes.length })
  }

  return {
    async find(path) {
      if (!isPlace(path)) return undefined
      const earliest = performance.now() - maxAgeMs
      const key = path.join('/')
      const known = views.get(key) ?? unseen()
      if (known.isLong) return undefined
      if (views.peek(key) !== known) views.set(key, known, { size: 1024 })
      // Whoever joins a look that began too early waits for the next.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        if (known.seenAt >= earliest) return known.view
        known.running ??= look(path, key, known).finally(() => {
          known.running = undefined
        })
        await known.running
        if (known.view === undefined) return undefined
      }
      return undefined
    },
    changed() {
      changes += 1
      for (const known of views.values()) known.seenAt = -Infinity
    },
  }
}

const unseen = (): Kept => ({
  bytes: Buffer.alloc(0),
  view: undefined,
  isLong: false,
  seenAt: -Infinity,
  running: undefined,
})

interface Listing {
  readonly answer: Answer
  readonly body: Buffer
}

async function fetchListing(remote: Remote, path: TreePath): Promise<Listing | 'long'> {
  const answer = await askProperties(remote.call, path, '1', entryNames)
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
): Promise<DirectoryView | undefined> {
  const members = new Map<string, Entry>()
  let entry: Entry | undefined
  const whole = { ...answer, body: Readable.from([body]) }
  for await (const batch of readFound(whole, remote)) {
    for (const { member, response } of batch) {
      if (member === undefined) entry ??= entryOf(remote.nameOf(path), response)
      else if (!members.has(member)) members.set(member, entryOf(member, response))
    }
  }
  if (entry) remote.seen(path, entry)
  if (entry?.kind !== 'directory') return undefined
  lastVersion += 1
  return { version: lastVersion, entry, members: [...members.values()] }
}

/** Never used twice in this process, whichever tree it is for; far from what a home counts. */
let lastVersion = 2 ** 40
