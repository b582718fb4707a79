import { PassThrough, Readable, Writable } from 'node:stream'
import { v2 } from 'webdav-server'

/** webdav-server's own file system in memory, which has no move of its own. */
export const virtual = (): v2.VirtualFileSystem => new v2.VirtualFileSystem()

/** The same with a move of its own: a rename of keys. */
export class MovingFileSystem extends v2.VirtualFileSystem {
  protected override _move(
    from: v2.Path,
    to: v2.Path,
    _info: v2.MoveInfo,
    callback: v2.ReturnCallback<boolean>,
  ): void {
    const [source, target] = [from.toString(), to.toString()]
    const within = (key: string, top: string) => key === top || key.startsWith(`${top}/`)
    const overwritten = this.resources[target] !== undefined
    for (const key of Object.keys(this.resources)) {
      if (within(key, target)) Reflect.deleteProperty(this.resources, key)
    }
    for (const [key, resource] of Object.entries(this.resources)) {
      if (!within(key, source)) continue
      Reflect.deleteProperty(this.resources, key)
      this.resources[target + key.slice(source.length)] = resource
    }
    callback(undefined, overwritten)
  }
}

/** Knows no sizes and no dates: the least that webdav-server lets a file system do. */
export class VagueFileSystem extends v2.VirtualFileSystem {
  protected override _size(
    _path: v2.Path,
    _info: v2.SizeInfo,
    callback: v2.ReturnCallback<number>,
  ): void {
    callback(undefined, undefined)
  }

  protected override _lastModifiedDate(
    _path: v2.Path,
    _info: v2.LastModifiedDateInfo,
    callback: v2.ReturnCallback<number>,
  ): void {
    callback(undefined, 0)
  }
}

/** Does to its callers what careless code does. */
export class CarelessFileSystem extends v2.VirtualFileSystem {
  mode: 'fine' | 'throws' | 'twice' | 'text' | 'full' | 'breaks' | 'short' = 'fine'

  protected override _type(
    path: v2.Path,
    info: v2.TypeInfo,
    callback: v2.ReturnCallback<v2.ResourceType>,
  ): void {
    if (this.mode === 'throws') throw new Error('careless')
    if (this.mode === 'text') {
      callback('a text for an error' as unknown as Error)
      return
    }
    super._type(path, info, callback)
    if (this.mode === 'twice') {
      callback(new Error('a second answer'))
      setImmediate(() => callback(new Error('a late one')))
    }
  }

  protected override _openWriteStream(
    path: v2.Path,
    info: v2.OpenWriteStreamInfo,
    callback: v2.ReturnCallback<Writable>,
  ): void {
    if (this.mode === 'full') {
      const write: Writable = new Writable({
        write: (_chunk, _encoding, done) => done(v2.Errors.InsufficientStorage),
      })
      callback(undefined, write)
      setImmediate(() => write.emit('error', new Error('and a late one')))
      return
    }
    super._openWriteStream(path, info, callback)
  }

  protected override _openReadStream(
    path: v2.Path,
    info: v2.OpenReadStreamInfo,
    callback: v2.ReturnCallback<Readable>,
  ): void {
    if (this.mode === 'short') {
      callback(undefined, Readable.from([Buffer.from('ha')]))
    } else if (this.mode === 'breaks') {
      const broken = new PassThrough()
      callback(undefined, broken)
      setImmediate(() => broken.destroy(new Error('the wire broke')))
    } else super._openReadStream(path, info, callback)
  }
}
