import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { chmodSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isServed, takeServeLock } from '../../../src/db/index.ts'
import { mountSmallDisk, whyNotMount } from '../../support/small-disk.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

let folder: TempDir

beforeEach(async () => {
  folder = await tempDir()
})

afterEach(async () => {
  await folder[Symbol.asyncDispose]()
})

it('looking makes nothing where no server ever was', () => {
  expect(isServed(folder.path)).toBe(false)
  expect(readdirSync(folder.path)).toEqual([])
})

it('looking tells a server that is there, and takes nothing from it', () => {
  const lock = takeServeLock(folder.path)
  try {
    expect(statSync(join(folder.path, 'serve.lock')).mode & 0o777).toBe(0o600)
    expect(isServed(folder.path)).toBe(true)
    expect(readFileSync(join(folder.path, 'serve.pid'), 'utf8')).toBe(`${process.pid}\n`)
    expect(() => takeServeLock(folder.path)).toThrow(/serves/)
    expect(isServed(folder.path)).toBe(true)
  } finally {
    lock.release()
  }
  expect(isServed(folder.path)).toBe(false)
  takeServeLock(folder.path).release()
})

const reason = whyNotMount()
if (reason !== undefined) console.warn(`SKIPPED: ${reason}`)

;(reason === undefined ? it : it.skip)('looking needs nothing that can be written', () => {
  const disk = mountSmallDisk('1m')
  try {
    takeServeLock(disk.path).release()
    chmodSync(join(disk.path, 'serve.lock'), 0o400)
    disk.forbidWriting()
    expect(isServed(disk.path)).toBe(false)
    expect(existsSync(join(disk.path, 'serve.pid'))).toBe(false)
  } finally {
    disk.unmount()
  }
})
