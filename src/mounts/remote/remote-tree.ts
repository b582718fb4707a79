import type { SeenRoot } from '../../db/schema/incoming.ts'
import { type Entry, type FileTree, type TreePath, type TreeProperties } from '../../files/index.ts'
import type { RemoteCall } from '../remote-call.ts'
import type { Remote } from './context.ts'
import { listMembers, look } from './look.ts'
import { makeDirectory, placeRemote, removeRemote } from './place.ts'
import { createProperties, findSpace } from './properties.ts'
import { openRemote } from './read.ts'
import { createViews, createViewStore, type ViewStore } from './views.ts'
import { writeRemote } from './write.ts'

export interface RemoteTreeOptions {
  readonly call: RemoteCall
  /** What its root is called. */
  readonly name: string
  /** Told of the root whenever it was seen. */
  readonly onSeen?: (root: SeenRoot) => void
  /** Where listings are kept; one of its own unless trees are to share it. */
  readonly views?: ViewStore
  /** How long an answer that is no file may take; longer ones in proportion. Default 10 s. */
  readonly patienceMs?: number
  /** What such an answer may have; the default is enough for 100,000 members. */
  readonly maxListingBytes?: number
}

/** A share of another server, as a tree whose dead properties live with its files. */
export interface RemoteTree extends FileTree {
  properties(path: TreePath): TreeProperties
}

const defaults = { patienceMs: 10_000, maxListingBytes: 64 * 1024 * 1024 }

/**
 * The tree behind a `RemoteCall`. What the peer promises is promised here: whole or not at all is as
 * good as its own PUT, COPY and MOVE are, and a file that is replaced while it is read fails to be
 * read any further.
 */
export function createRemoteTree(options: RemoteTreeOptions): RemoteTree {
  const { call, name, onSeen, patienceMs, maxListingBytes } = { ...defaults, ...options }
  const views = createViews(() => remote, options.views ?? createViewStore())
  const remote: Remote = {
    call,
    patienceMs,
    maxListingBytes,
    nameOf: (path) => path.at(-1) ?? name,
    seen(path, entry) {
      if (path.length === 0) onSeen?.(rootOf(entry))
    },
    changed: views.changed,
  }
  const properties = createProperties(() => remote, views)
  return {
    stat: (path) => look(remote, path),
    list: (path, listOptions) => listMembers(remote, path, listOptions),
    view: (path, hint) => views.find(path, hint?.properties),
    read: (path, hint) => openRemote(remote, path, hint),
    write: (path, body, writeOptions) => writeRemote(remote, path, body, writeOptions),
    mkdir: (path) => makeDirectory(remote, path),
    remove: (path) => removeRemote(remote, path),
    copy: (from, to, copyOptions) => placeRemote(remote, 'COPY', from, to, copyOptions),
    move: (from, to, placeOptions) => placeRemote(remote, 'MOVE', from, to, placeOptions),
    space: (path) => findSpace(remote, path),
    properties: () => properties,
  }
}

const rootOf = ({ kind, size, modifiedAt, etag }: Entry): SeenRoot => ({
  kind,
  size,
  modifiedAt,
  etag,
})
