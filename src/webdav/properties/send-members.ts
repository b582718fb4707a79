import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import {
  FileError,
  type DirectoryView,
  type Entry,
  type FileTree,
  type TreePath,
} from '../../files/index.ts'
import { endTogether } from '../../http/index.ts'
import { DavError, toDavError } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { clientGone } from '../reply.ts'
import { xmlType } from '../../xml/index.ts'
import type { Subject } from './live.ts'
import {
  multistatusEnd,
  multistatusOf,
  multistatusStart,
  renderResponse,
  renderStatus,
  type PropertyPlan,
} from './render.ts'
import { loadStored, type Stored } from './stored.ts'
import { memberOf } from './subject.ts'
import { TextParts } from './text-parts.ts'

/** As many bytes as one write carries; a Multi-Status shorter than this has a Content-Length. */
const pieceLength = 256 * 1024

export const sendMultistatus = (res: ServerResponse, responses: string): void =>
  sendBody(res, multistatusOf(responses))

/** A short text leaves together with the head. */
export function sendBody(res: ServerResponse, body: string | Buffer): void {
  res.writeHead(207, { 'Content-Type': xmlType, 'Content-Length': Buffer.byteLength(body) })
  endTogether(res, body)
}

/** A directory that is listed, and what is stored of it and its members. */
interface Listed {
  readonly path: TreePath
  readonly subject: Subject
  readonly stored: Stored | undefined
}

/**
 * A directory and its members, or everything below it, each after the directory it is in. Piece by
 * piece, as fast as the client reads: a long listing is never in memory as a whole.
 */
export async function sendMembers(
  exchange: Exchange,
  plan: PropertyPlan,
  root: Listed,
  isDeep: boolean,
  view?: DirectoryView,
): Promise<void> {
  const { res, tree } = exchange
  const text = new TextParts(multistatusStart + renderResponse(plan, root.subject))

  async function flush(): Promise<void> {
    if (!res.headersSent) res.writeHead(207, { 'Content-Type': xmlType })
    await writePiece(res, text.take())
  }

  /** What is in a directory further down; where that cannot be said, why, in place of the rest. */
  async function open(path: TreePath): Promise<Opened | DavError> {
    try {
      const stored = await loadStored(exchange, plan, path, true)
      return { stored, members: await begun(listExisting(tree, path)) }
    } catch (error) {
      const refused = toDavError(error)
      if (refused) return refused
      throw error
    }
  }

  async function walk({ path, subject, stored }: Listed, members: Members): Promise<void> {
    for await (const batch of members) {
      for (const entry of batch) {
        const member = memberOf(subject, entry)
        const at = stored || isDeep ? [...path, entry.name] : path
        const whole = stored ? { ...member, ...stored.at(at) } : member
        if (text.length >= pieceLength) await flush()
        const inner = isDeep && entry.kind === 'directory' ? await open(at) : undefined
        if (inner instanceof DavError) {
          text.add(renderStatus(member.href, inner.status))
          continue
        }
        text.add(renderResponse(plan, whole))
        if (inner) await walk({ path: at, subject: whole, stored: inner.stored }, inner.members)
      }
    }
  }

  // What was looked at already is not asked for again.
  const members = view ? [view.members] : tree.list(root.path)
  await walk(root, isDeep ? listExisting(tree, root.path) : members)
  text.add(multistatusEnd)
  if (res.headersSent) res.end(text.take())
  else sendBody(res, text.take())
}

type Members = AsyncIterable<readonly Entry[]> | Iterable<readonly Entry[]>

interface Opened {
  readonly stored: Stored | undefined
  readonly members: Members
}

/** Fails now rather than when something was said already. */
async function begun(members: AsyncGenerator<readonly Entry[]>): Promise<Members> {
  const first = await members.next()
  async function* all(): AsyncGenerator<readonly Entry[]> {
    if (first.done === true) return
    yield first.value
    yield* members
  }
  return all()
}

/** A directory that went away while we were on the way to it has no members. */
async function* listExisting(tree: FileTree, path: TreePath): AsyncGenerator<readonly Entry[]> {
  try {
    yield* tree.list(path)
  } catch (error) {
    const isGone =
      error instanceof FileError && ['not_found', 'not_a_directory'].includes(error.code)
    if (!isGone) throw error
  }
}

/** Nobody walks on for a client that is gone. */
async function writePiece(res: ServerResponse, piece: Buffer): Promise<void> {
  if (res.destroyed) throw clientGone()
  if (res.write(piece)) return
  const gone = new AbortController()
  const cancel = (): void => gone.abort()
  res.once('close', cancel)
  try {
    await once(res, 'drain', { signal: gone.signal })
  } finally {
    res.off('close', cancel)
  }
}
