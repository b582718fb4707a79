import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { createLocalTree, FileError, type FileTree } from '../../../../src/files/index.ts'
import { moveAcross } from '../../../../src/mounts/across.ts'
import { tempDir } from '../../../support/temp-dir.ts'
import { bytes, contentOf } from '../../files/file-tree-contract.ts'
import {
  badSender,
  codeOf,
  collection,
  response,
  says,
  sends,
  type Answer,
  type BadSender,
} from './bad-sender.ts'

const codeOfError = (error: { code: unknown }): unknown => error.code

describe('a sender that answers other methods badly', () => {
  let sender: BadSender
  let tree: FileTree

  beforeAll(async () => {
    sender = await badSender()
  })
  beforeEach(() => {
    sender.requests.length = 0
    tree = sender.treeWith()
  })
  afterAll(() => sender.close())

  describe('to GET', () => {
    const head = { etag: '"1"', 'content-type': 'text/plain' }

    const read = async (hint = {}): Promise<string> => {
      const file = await tree.read(['f'], hint)
      try {
        return Buffer.concat(await file.stream().toArray()).toString()
      } finally {
        await file.close()
      }
    }

    it('a file with one request, and a part with one', async () => {
      sender.answer = (req, res) => {
        if (req.headers.range === undefined) sends(200, '0123456789', head)(req, res)
        else sends(206, '234', { ...head, 'content-range': 'bytes 2-4/10' })(req, res)
      }
      expect(await read()).toBe('0123456789')
      const file = await tree.read(['f'], { range: 'bytes=2-4' })
      expect(file.entry).toMatchObject({ name: 'f', size: 10, etag: '"1"' })
      const part = await file.stream({ start: 2, end: 4 }).toArray()
      expect(Buffer.concat(part).toString()).toBe('234')
      await file.close()
      expect(sender.requests).toEqual(['GET /dav/share/f', 'GET /dav/share/f'])
    })

    it('a peer without ranges', async () => {
      sender.answer = sends(200, '0123456789', head)
      const file = await tree.read(['f'], { range: 'bytes=2-4' })
      const part = await file.stream({ start: 2, end: 4 }).toArray()
      expect(Buffer.concat(part).toString()).toBe('234')
      await file.close()
    })

    const answerLook = (properties: string, fields: Record<string, string>): void => {
      sender.answer = (req, res) => {
        if (req.method === 'PROPFIND') says(response('/dav/share/f', properties))(req, res)
        else sends(200, 'abc', { ...head, ...fields })(req, res)
      }
    }

    it('looks before it reads where conditions may decide', async () => {
      sender.answer = (req, res) => {
        if (req.method === 'PROPFIND') {
          says(
            response(
              '/dav/share/f',
              '<d:getcontentlength>3</d:getcontentlength><d:getetag>"1"</d:getetag>',
            ),
          )(req, res)
        } else sends(200, 'abc', head)(req, res)
      }
      const file = await tree.read(['f'], { isConditional: true })
      await file.close()
      expect(sender.requests).toEqual(['PROPFIND /dav/share/f'])
      expect(await read({ isConditional: true })).toBe('abc')
    })

    it.each<[string, Answer, string]>([
      [
        'a reset in the body',
        (_req, res) => {
          res.writeHead(200, { ...head, 'content-length': 10 }).write('abc', () => {
            setTimeout(() => res.socket?.resetAndDestroy(), 20)
          })
        },
        'sender_unreachable',
      ],
      [
        'a body shorter than its length',
        (_req, res) => {
          res.writeHead(200, { ...head, 'content-length': 10 }).write('abc', () => {
            setTimeout(() => res.socket?.end(), 20)
          })
        },
        'sender_unreachable',
      ],
      [
        'silence in the body',
        (_req, res) => {
          res.writeHead(200, { ...head, 'content-length': 10 }).write('abc')
        },
        'sender_unreachable',
      ],
      ['404', sends(404, ''), 'not_found'],
      ['500', sends(500, ''), 'sender_unreachable'],
      [
        'gzip',
        sends(200, gzipSync('abc'), { ...head, 'content-encoding': 'gzip' }),
        'encoding_refused',
      ],
      ['a redirect', sends(301, '', { location: '/dav/share/f/' }), 'redirect_refused'],
    ])('%s', async (_name, given, code) => {
      sender.answer = given
      expect(await codeOf(read())).toBe(code)
    })

    it.each<[string, number, Record<string, string>]>([
      ['none', 206, {}],
      ['nonsense', 206, { 'content-range': 'bytes x' }],
      ['another part', 206, { 'content-range': 'bytes 5-7/10' }],
      ['beyond the end', 206, { 'content-range': 'bytes 8-10/10' }],
      ['of other length', 206, { 'content-range': 'bytes 2-5/10' }],
      ['of another size', 206, { 'content-range': 'bytes 2-4/11' }],
    ])('a Content-Range that lies: %s', async (_name, status, fields) => {
      sender.answer = (req, res) => {
        if (req.method === 'PROPFIND') {
          says(
            response(
              '/dav/share/f',
              '<d:getcontentlength>10</d:getcontentlength><d:getetag>"1"</d:getetag>',
            ),
          )(req, res)
        } else sends(status, '234', { ...head, ...fields })(req, res)
      }
      const reading = async (): Promise<unknown> => {
        const file = await tree.read(['f'], { isConditional: true })
        return file.stream({ start: 2, end: 4 }).toArray()
      }
      expect(['sender_garbled', 'changed']).toContain(await codeOf(reading()))
    })

    it('a file that was replaced between two parts', async () => {
      sender.answer = (req, res) => {
        if (req.headers['if-match'] === '"1"') sends(412, '')(req, res)
        else sends(200, '0123456789', head)(req, res)
      }
      const file = await tree.read(['f'])
      expect((await file.stream().toArray()).join('')).toBe('0123456789')
      expect(await codeOf(file.stream({ start: 1, end: 2 }).toArray())).toBe('changed')
      await file.close()
    })

    it('a tag that a proxy has weakened is still that of the file', async () => {
      answerLook('<d:getcontentlength>3</d:getcontentlength><d:getetag>"1"</d:getetag>', {
        etag: 'W/"1"',
      })
      expect(await read({ isConditional: true })).toBe('abc')
      answerLook('<d:getcontentlength>3</d:getcontentlength><d:getetag>"1"</d:getetag>', {
        etag: 'W/"2"',
      })
      expect(await codeOf(read({ isConditional: true }))).toBe('changed')
    })

    const sizeOf = (size: number | undefined): string =>
      size === undefined ? '' : `<d:getcontentlength>${size}</d:getcontentlength>`

    /** `counted`: whether the answer to GET says its length. */
    const answerSized = (stated: number | undefined, counted: boolean): void => {
      sender.answer = (req, res) => {
        if (req.method === 'PROPFIND') says(response('/dav/share/f', sizeOf(stated)))(req, res)
        else {
          res.writeHead(200, counted ? { 'content-length': 3 } : {}).write('ab')
          res.end('c')
        }
      }
    }

    it.each<[string, number | undefined, boolean, string]>([
      ['nobody says', undefined, false, 'sender_garbled'],
      ['the answer alone says', undefined, true, 'abc'],
      ['its properties alone say', 3, false, 'abc'],
      ['is said too small', 2, false, 'sender_garbled'],
      ['is said to be none', 0, false, 'sender_garbled'],
      ['is said too large', 4, false, 'sender_garbled'],
    ])('a file whose size %s', async (_name, stated, counted, outcome) => {
      answerSized(stated, counted)
      expect(await read().catch(codeOfError)).toBe(outcome)
      const whole = contentOf(tree, ['f'])
      expect(await whole.catch(codeOfError)).toBe(outcome)
    })

    it.each<[boolean, string]>([
      [true, 'abc'],
      [false, 'sender_garbled'],
    ])('a file without a size where conditions may decide: %s', async (counted, outcome) => {
      answerSized(undefined, counted)
      const reading = read({ isConditional: true })
      expect(await reading.catch(codeOfError)).toBe(outcome)
    })

    it('a directory, a page where a file should be, and a file that is a page', async () => {
      const page = sends(200, '<html>', { 'content-type': 'text/html' })
      const found =
        (properties: string): Answer =>
        (req, res) => {
          if (req.method === 'PROPFIND') says(response('/dav/share/f', properties))(req, res)
          else page(req, res)
        }
      sender.answer = found(collection)
      expect(await codeOf(read())).toBe('is_a_directory')
      sender.answer = found('<d:getcontentlength>900</d:getcontentlength>')
      expect(await codeOf(read())).toBe('sender_garbled')
      sender.answer = found('<d:getcontentlength>6</d:getcontentlength>')
      expect(await contentOf(tree, ['f'])).toBe('<html>')
    })
  })

  describe('to changes', () => {
    it.each<[number, string]>([
      [403, 'access_denied'],
      [404, 'parent_missing'],
      [405, 'is_a_directory'],
      [409, 'parent_missing'],
      [412, 'changed'],
      [413, 'too_large'],
      [423, 'locked'],
      [429, 'sender_unreachable'],
      [500, 'sender_unreachable'],
      [502, 'sender_unreachable'],
      [507, 'no_space'],
      [301, 'redirect_refused'],
      [101, 'bad_response'],
    ])('%i to PUT is %s', async (status, code) => {
      sender.answer = (req, res) => {
        if (status === 101) req.socket.end('HTTP/1.1 999999 Nonsense\r\n\r\n')
        else req.resume().on('end', () => sends(status, '')(req, res))
      }
      expect(await codeOf(tree.write(['f'], bytes('abc')))).toBe(code)
    })

    it.each<[string, number, string]>([
      ['a member that is locked', 423, 'locked'],
      ['a member that is not ours', 403, 'access_denied'],
      ['a 401', 401, 'access_denied'],
    ])('a Multi-Status with %s is a failure', async (_name, status, code) => {
      const bad = `<d:response><d:href>/dav/share/d/x</d:href><d:status>HTTP/1.1 ${status} No</d:status></d:response>`
      const other = bad.replace(`${status} No`, '424 Failed Dependency')
      sender.answer = says(other, bad, other)
      expect(await codeOf(tree.remove(['d']))).toBe(code)
      expect(await codeOf(tree.move(['d'], ['e'], { overwrite: true }))).toBe(code)
    })

    const self = (inner: string): string =>
      `<d:response><d:href>/dav/share/f</d:href>${inner}</d:response>`

    it.each<[string, string, unknown]>([
      ['a status for the whole', '<d:status>HTTP/1.1 423 Locked</d:status>', [423]],
      ['an empty propstat', '<d:propstat/>', 'sender_garbled'],
      ['nothing', '', 'sender_garbled'],
    ])('PROPPATCH that is answered with %s', async (_name, inner, outcome) => {
      sender.answer = says(self(inner))
      const step = { namespace: 'urn:x', name: 'color' }
      const patching = sender.treeWith().properties([]).patch(['f'], [step])
      expect(await Promise.resolve(patching).catch(codeOfError)).toEqual(outcome)
    })

    it('an upload that its client gives up is cut off', async () => {
      const ends: string[] = []
      sender.answer = (req) => {
        req.resume().on('end', () => ends.push('whole'))
        req.on('close', () => ends.push('closed'))
      }
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield* bytes('ha', 'lf')
        await new Promise((resolve) => setTimeout(resolve, 20))
        throw Object.assign(new Error('left'), { code: 'ECONNRESET' })
      }
      const writing = tree.write(['f'], broken(), { size: 1000 })
      await expect(writing).rejects.toThrow('left')
      while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(ends).toEqual(['closed'])
    })

    it('an upload that fails after its last byte never arrives whole', async () => {
      const ends: string[] = []
      const begun = new Promise<void>((resolve) => {
        sender.answer = (req) => {
          req.once('data', () => setTimeout(resolve, 20)).on('end', () => ends.push('whole'))
          req.on('close', () => ends.push('closed'))
        }
      })
      async function* lockedAtTheEnd(): AsyncGenerator<Uint8Array> {
        yield* bytes('ab', 'c', '')
        await begun
        throw new FileError('locked')
      }
      expect(await codeOf(tree.write(['f'], lockedAtTheEnd(), { size: 3 }))).toBe('locked')
      while (ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(ends).toEqual(['closed'])
    })

    it('a success before all was sent is none, and a MOVE keeps its source', async () => {
      sender.answer = (req, res) => {
        if (req.method === 'PUT') res.writeHead(201).flushHeaders()
        else sends(404, '')(req, res)
      }
      await using folder = await tempDir()
      // More than the kernels at both ends hold.
      await writeFile(join(folder.path, 'large'), Buffer.alloc(32 * 1024 * 1024))
      const home = createLocalTree({ root: folder.path, durability: 'normal' })
      const [from, to] = [
        { tree: home, path: ['large'] },
        { tree, path: ['f'] },
      ]
      const pace = { idleMs: 60_000, minBytesPerSecond: 0, windowMs: 60_000 }
      const limits = { maxBytes: Infinity, maxEntries: 1, pace }
      const options = { overwrite: true, limits, onLeft: () => undefined }
      expect(await codeOf(moveAcross(from, to, options))).toBe('sender_garbled')
      expect((await home.stat(['large']))?.size).toBe(32 * 1024 * 1024)
    })

    it.each<[string, string, boolean]>([
      ['ours by its size', '3', true],
      ["somebody else's", '4', false],
    ])('what is found after a PUT without a tag: %s', async (_name, size, isOurs) => {
      const facts = `<d:getcontentlength>${size}</d:getcontentlength><d:getetag>"2"</d:getetag>`
      sender.answer = (req, res) => {
        if (req.method === 'PROPFIND') says(response('/dav/share/f', facts))(req, res)
        else req.resume().on('end', () => sends(201, '')(req, res))
      }
      const { entry } = await tree.write(['f'], bytes('abc'))
      expect([entry.size, entry.etag === '"2"']).toEqual([3, isOurs])
    })
  })
})
