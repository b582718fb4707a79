import type { Readable } from 'node:stream'
import type { Awaitable } from '../core/index.ts'
import type { TreePath } from './tree-path.ts'
import type { TreeProperties } from './tree-properties.ts'

/** What may be done with something in a tree. */
export type TreePermission = 'read' | 'write' | 'share'

/** What a tree says of one file or directory. */
export interface Entry {
  /** The last segment of its path; for a tree's own root what the tree calls it, perhaps ''. */
  readonly name: string
  readonly kind: 'file' | 'directory'
  /** Bytes of content; 0 for a directory. */
  readonly size: number
  /** Epoch milliseconds. */
  readonly modifiedAt: number
  /** Epoch milliseconds. */
  readonly createdAt: number
  /**
   * A strong entity tag, quotes included (RFC 9110 §8.8.3). It differs whenever the content does;
   * a directory's differs whenever its members come, go or are replaced, but not when something
   * deeper changes.
   */
  readonly etag: string
  /** What may be done with it and below; absent: the same as with the directory it is in. */
  readonly permissions?: readonly TreePermission[] | undefined
}

/** A part of a file: offsets of its first and last byte, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A directory and its members, as they were a moment ago at the longest. */
export interface DirectoryView {
  /** Another number whenever anything in `entry` or `members` is different; never used twice. */
  readonly version: number
  readonly entry: Entry
  readonly members: readonly Entry[]
}

export interface ListOptions {
  /** To fail with `left_out` rather than not show something that is there. */
  readonly whole?: boolean
}

/** What else will be asked of a directory that is listed, so that a far tree asks for it at once. */
export interface ViewHint {
  /** The dead properties of it and its members. */
  readonly properties?: boolean
}

/** A file held open: whatever happens to its name, `entry` and content stay those of one version. */
export interface OpenFile {
  readonly entry: Entry
  /** The whole content in memory: for small files only. */
  bytes(): Awaitable<Buffer>
  /**
   * The same byte for byte as latin1, where it is kept so: a text leaves together with the head of
   * an answer, and need not be made for each.
   */
  readonly text?: string
  /**
   * The content, or a part of it. It fails rather than ends when it cannot deliver every byte of
   * the range, so that nobody mistakes half a file for a whole one.
   */
  stream(range?: ByteRange): Readable
  /** The parts of a stream are nobody else's: whoever reads them may free them. */
  readonly disposable?: boolean
  /**
   * Fills a buffer with what begins at `position`, where that is cheaper than a stream; it fails
   * when the content ends before.
   */
  fill?(buffer: Uint8Array, position: number): Awaitable<void>
  /**
   * Gives the content, or a part of it, to `take`, where that is cheaper than a stream: several parts
   * at a time, whose buffers are used again when they are taken. It fails like a stream.
   */
  pour?(take: (part: Uint8Array) => Promise<void>, range: ByteRange): Promise<void>
  /**
   * Makes sure that a part of the content can be had, where only asking for it tells: before an
   * answer begins that could no longer say that it cannot.
   */
  prepare?(range: ByteRange): Promise<void>
  /** Must be called, after the last stream has ended or was destroyed. */
  close(): Awaitable<void>
}

/** What a reader was asked for, so that a tree far away can fetch just that. */
export interface ReadHint {
  /** The `Range` of the request, as it came (RFC 9110 §14.2). */
  readonly range?: string | undefined
  /** Conditions come first: perhaps no content is needed at all. */
  readonly isConditional?: boolean
}

/** The state that a change was decided upon: "still this version", or "still nothing there". */
export type Expected = { readonly etag: string } | 'absent'

export interface WriteOptions {
  /** When the content was made, in epoch milliseconds; a tree may keep it to the second, or not. */
  readonly modifiedAt?: number | undefined
  /** How many bytes will come, where that is known before. */
  readonly size?: number | undefined
  /** Content beyond this is `too_large`; bytes are counted as they come. */
  readonly maxBytes?: number
  /** Checked again at the instant of replacing; when it no longer holds: `changed`. */
  readonly expected?: Expected | undefined
  /** Nobody else needs the parts of the body: the tree may free them as soon as they are written. */
  readonly disposable?: boolean
}

export interface PlaceOptions {
  /** Whether what is already there may be replaced; if not, it fails with `exists`. */
  readonly overwrite: boolean
  /** Of whoever waits for it: what takes long may end when nobody does any more. */
  readonly signal?: AbortSignal | undefined
}

export interface CopyOptions extends PlaceOptions {
  /** Copy a directory without its members. */
  readonly shallow?: boolean
}

export interface Written {
  readonly entry: Entry
  /** False when older content was replaced. */
  readonly created: boolean
}

export interface Placed {
  /** False when something was replaced. */
  readonly created: boolean
}

export interface Space {
  readonly availableBytes: number
  readonly usedBytes: number
  /** The same for all places on one disk of ours; absent: it is somebody else's. */
  readonly store?: string
}

/**
 * A tree of files: on a local disk, behind a remote server, or a part of another tree.
 *
 * Rules that every implementation keeps, and one contract suite checks:
 *
 * - **Paths** are checked by the tree itself. Nothing can be created under a bad name
 *   (`forbidden_name`, `reserved_name`), and looking for one finds nothing.
 * - **Whole or not at all.** A write, copy or move shows its old or its new state to every reader,
 *   at every instant and after a crash. A failed one leaves what was there.
 * - **Expected failures** are `FileError`s. Anything else thrown is a fault of the tree.
 * - **The root**, `[]`, can be a directory or (a share of one file) a file. It cannot be moved,
 *   removed, created or replaced; the content of a file root can be written.
 * - **Memory** does not grow with the size of a file.
 * - Symbolic links, devices and the like do not exist for callers.
 */
export interface FileTree {
  /** What is there, or `undefined`. */
  stat(path: TreePath): Awaitable<Entry | undefined>

  /**
   * The members of a directory, in batches and in no particular order. Members that vanish while
   * it runs are left out. Fails with `not_found` or `not_a_directory` before the first batch.
   */
  list(path: TreePath, options?: ListOptions): AsyncIterable<readonly Entry[]>

  /**
   * What `stat` and `list` would give for a directory, at most 50 ms old and never older than the
   * last change through this process. `undefined` where that is not kept: ask `stat` and `list`.
   */
  view?(path: TreePath, hint?: ViewHint): Promise<DirectoryView | undefined>

  /**
   * `stat` without asking anybody who keeps a part of the tree elsewhere: what is known of the place
   * where such a part begins, and `elsewhere` for all that is below. Absent: the same as `stat`.
   */
  glance?(path: TreePath): Promise<Entry | 'elsewhere' | undefined>

  /** Opens a file: `not_found`, `is_a_directory`. Whatever the hint, all of it can be read. */
  read(path: TreePath, hint?: ReadHint): Awaitable<OpenFile>

  /**
   * Creates or replaces a file. The body is consumed to its end or until the write fails; when it
   * throws (a client went away), nothing has happened and its error is passed on.
   * `parent_missing`, `is_a_directory`, `not_served`, `too_large`, `no_space`, `changed`.
   */
  write(path: TreePath, body: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<Written>

  /** Creates one directory: `exists`, `parent_missing`. */
  mkdir(path: TreePath): Promise<void>

  /** Removes a file, or a directory with everything in it: `not_found`, `is_root`. */
  remove(path: TreePath): Promise<void>

  /** Copies a file or a directory: `not_found`, `exists`, `parent_missing`, `into_itself`. */
  copy(from: TreePath, to: TreePath, options: CopyOptions): Promise<Placed>

  /** Moves a file or a directory; fails like `copy`, and with `is_root`. */
  move(from: TreePath, to: TreePath, options: PlaceOptions): Promise<Placed>

  /** Room on the store that a path is on, or `undefined` when asking would be dear. */
  space(path: TreePath): Promise<Space | undefined>

  /**
   * Lets `fill` make a file or a directory at a path of a tree that nobody else sees, then puts it
   * at `to` whole; fails like `copy`. Absent: nothing can be hidden here.
   */
  receive?(
    to: TreePath,
    options: PlaceOptions,
    fill: (hidden: FileTree, path: TreePath) => Promise<void>,
  ): Promise<Placed>

  /** What the tree lets anybody do at a path; `undefined`: everything. Absent: so everywhere. */
  permissionsAt?(path: TreePath): Promise<readonly TreePermission[] | undefined>

  /** Of paths whose dead properties live with the files. */
  properties?(path: TreePath): TreeProperties | undefined | Promise<TreeProperties | undefined>
}
