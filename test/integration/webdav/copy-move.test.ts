import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { expectRefused, mine, startScratch, type Scratch, type Sent } from './support.ts'

let scratch: Scratch
const at = (...path: string[]): string => join(scratch.home, ...path)

beforeAll(async () => {
  scratch = await startScratch()
})

afterAll(() => scratch.stop())

beforeEach(() => {
  for (const name of readdirSync(scratch.home)) rmSync(at(name), { recursive: true })
  writeFileSync(at('f.txt'), 'file')
  mkdirSync(at('src', 'deep'), { recursive: true })
  writeFileSync(at('src', 'deep', 'x'), 'x')
  mkdirSync(at('dst'))
  writeFileSync(at('dst', 'old'), 'old')
})

const go = (
  method: string,
  from: string,
  to: string,
  headers: Record<string, string> = {},
): Sent => ({
  method,
  path: mine(from),
  as: 'alice',
  headers: { Destination: mine(to), ...headers },
})

describe.each(['COPY', 'MOVE'])('%s', (method) => {
  it('creates a file with 201 and replaces it with 204', async () => {
    expect((await scratch.send(go(method, 'f.txt', 'g.txt'))).status).toBe(201)
    expect(readFileSync(at('g.txt'), 'utf8')).toBe('file')
    expect(existsSync(at('f.txt'))).toBe(method === 'COPY')
    writeFileSync(at('f.txt'), 'newer')
    expect((await scratch.send(go(method, 'f.txt', 'g.txt'))).status).toBe(204)
    expect(readFileSync(at('g.txt'), 'utf8')).toBe('newer')
  })

  it('creates a directory, and replaces one whole', async () => {
    expect((await scratch.send(go(method, 'src/', 'new/'))).status).toBe(201)
    expect(readFileSync(at('new', 'deep', 'x'), 'utf8')).toBe('x')
    expect(existsSync(at('src'))).toBe(method === 'COPY')
    expect((await scratch.send(go(method, 'new', 'dst'))).status).toBe(204)
    expect(readdirSync(at('dst'))).toEqual(['deep'])
    expect(readdirSync(scratch.home).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('replaces a directory by a file and the reverse', async () => {
    expect((await scratch.send(go(method, 'f.txt', 'dst'))).status).toBe(204)
    expect(readFileSync(at('dst'), 'utf8')).toBe('file')
    expect((await scratch.send(go(method, 'src', 'dst'))).status).toBe(204)
    expect(readdirSync(at('dst'))).toEqual(['deep'])
  })

  it('E7: keeps the target when Overwrite is F', async () => {
    for (const from of ['f.txt', 'src']) {
      await expectRefused(scratch, go(method, from, 'dst', { Overwrite: 'F' }), 412)
    }
    writeFileSync(at('g.txt'), 'keep')
    await expectRefused(scratch, go(method, 'f.txt', 'g.txt', { Overwrite: 'f' }), 412)
    expect((await scratch.send(go(method, 'f.txt', 'h', { Overwrite: 'F' }))).status).toBe(201)
  })

  it('refuses itself, its own inside and its own parent with 403', async () => {
    await expectRefused(scratch, go(method, 'src', 'src'), 403)
    await expectRefused(scratch, go(method, 'src/', 'src'), 403)
    await expectRefused(scratch, go(method, 'f.txt', '%66.txt'), 403)
    await expectRefused(scratch, go(method, 'src', 'src/deep/y'), 403)
    await expectRefused(scratch, go(method, 'src/deep', 'src'), 403)
  })

  it('answers a missing source with 404', async () => {
    await expectRefused(scratch, go(method, 'missing', 'x'), 404)
    await expectRefused(scratch, go(method, 'f.txt/x', 'x'), 404)
  })

  it('takes an absolute destination on our own authority', async () => {
    const Destination = `http://LOCALHOST:${scratch.port}${mine('abs')}`
    expect((await scratch.send(go(method, 'f.txt', '', { Destination }))).status).toBe(201)
    expect(existsSync(at('abs'))).toBe(true)
  })
})

describe('COPY of a directory', () => {
  it('leaves the members out at depth 0', async () => {
    expect((await scratch.send(go('COPY', 'src', 'flat', { Depth: '0' }))).status).toBe(201)
    expect(readdirSync(at('flat'))).toEqual([])
  })

  it('keeps copies apart from their source', async () => {
    await scratch.send(go('COPY', 'src', 'twin', { Depth: 'infinity' }))
    writeFileSync(at('src', 'deep', 'x'), 'changed')
    expect(readFileSync(at('twin', 'deep', 'x'), 'utf8')).toBe('x')
  })
})
