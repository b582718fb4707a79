import type { Readable, Writable } from 'node:stream'
import { v2 } from 'webdav-server'
import type { TreePath } from '../../files/index.ts'
import { toTreeError } from './errors.ts'

type Callback<Result> = (error?: Error | null, result?: Result) => void

/** A webdav-server file system with promises for its callbacks and our errors for its own. */
export interface Calls {
  type(path: TreePath): Promise<v2.ResourceType | undefined>
  size(path: TreePath): Promise<number | undefined>
  modifiedAt(path: TreePath): Promise<number | undefined>
  createdAt(path: TreePath): Promise<number | undefined>
  etag(path: TreePath): Promise<string | undefined>
  names(path: TreePath): Promise<readonly string[]>
  create(path: TreePath, type: v2.ResourceType): Promise<void>
  remove(path: TreePath): Promise<void>
  openRead(path: TreePath): Promise<Readable>
  openWrite(path: TreePath): Promise<Writable>
  /** Absent where the file system has no move of its own. */
  readonly move?: (from: TreePath, to: TreePath, overwrite: boolean) => Promise<void>
}

export function createCalls(fileSystem: v2.FileSystem): Calls {
  // A file system asks its server for privileges, storage and where it is mounted.
  const options = Object.assign(new v2.WebDAVServerOptions(), { rootFileSystem: fileSystem })
  const server = new v2.WebDAVServer(options)
  const context = server.createExternalContext()
  const ask = <Result>(
    start: (context: v2.RequestContext, callback: Callback<Result>) => void,
  ): Promise<Result | undefined> => settle((callback) => start(context, callback))

  const calls: Calls = {
    type: (path) => ask((by, done) => fileSystem.type(by, textOf(path), done)),
    size: (path) => ask((by, done) => fileSystem.size(by, textOf(path), true, done)),
    modifiedAt: (path) => ask((by, done) => fileSystem.lastModifiedDate(by, textOf(path), done)),
    createdAt: (path) => ask((by, done) => fileSystem.creationDate(by, textOf(path), done)),
    etag: (path) => ask((by, done) => fileSystem.etag(by, textOf(path), done)),
    names: async (path) =>
      (await ask<string[]>((by, done) => fileSystem.readDir(by, textOf(path), done))) ?? [],
    create: (path, type) =>
      ask<undefined>((by, done) => fileSystem.create(by, textOf(path), type, done)),
    remove: (path) => ask<undefined>((by, done) => fileSystem.delete(by, textOf(path), -1, done)),
    openRead: async (path) =>
      attended(
        await ask<Readable>((by, done) =>
          fileSystem.openReadStream(by, textOf(path), true, -1, done),
        ),
      ),
    openWrite: async (path) =>
      attended(
        await ask<Writable>((by, done) =>
          fileSystem.openWriteStream(by, textOf(path), 'mustExist', true, done),
        ),
      ),
  }
  if (!Reflect.has(fileSystem, '_move')) return calls
  return {
    ...calls,
    async move(from, to, overwrite) {
      await ask<boolean>((by, done) =>
        fileSystem.move(by, textOf(from), textOf(to), overwrite, done),
      )
    },
  }
}

/**
 * As text, because the file system may come with a webdav-server of its own, which would not know
 * our `Path`. No segment has a separator in it.
 */
const textOf = (path: TreePath): string => `/${path.join('/')}`

/** The first answer counts: a second callback, or a throw after it, changes nothing. */
function settle<Result>(start: (callback: Callback<Result>) => void): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => reject(toTreeError(error))
    try {
      start((error, result) => (error ? fail(error) : resolve(result)))
    } catch (error) {
      fail(error)
    }
  })
}

/** An 'error' that nobody listens to would end the process, however late it comes. */
function attended<Stream extends Readable | Writable>(stream: Stream | undefined): Stream {
  if (!stream) throw new Error('the file system gave no stream')
  stream.on('error', () => undefined)
  return stream
}
