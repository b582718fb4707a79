import { describe, expect, it } from '@jest/globals'
import { tmpdir } from 'node:os'
import { createHealth } from '../../../src/health.ts'

const well = { touchDatabase: () => Promise.resolve(), folders: [tmpdir()], diskFloor: 0 }

describe('readiness', () => {
  it('names the first thing that is wrong', async () => {
    expect(await createHealth(well).findTrouble()).toBeUndefined()
    const broken = { ...well, touchDatabase: () => Promise.reject(new Error('no')) }
    expect(await createHealth({ ...broken, diskFloor: Infinity }).findTrouble()).toBe('database')
    expect(await createHealth({ ...well, diskFloor: Infinity }).findTrouble()).toBe('disk')
    const inFile = { ...well, folders: [`${process.execPath}/x`], diskFloor: 1 }
    expect(await createHealth(inFile).findTrouble()).toBe('disk')
    expect(await createHealth({ ...inFile, folders: ['/nowhere'] }).findTrouble()).toBeUndefined()
  })

  it('looks once a second, however many ask, and again after it', async () => {
    let time = 0
    let looks = 0
    const touchDatabase = () => Promise.resolve(looks++)
    const health = createHealth({ ...well, touchDatabase, now: () => time })
    await Promise.all(Array.from({ length: 50 }, () => health.findTrouble()))
    time = 999
    await health.findTrouble()
    expect(looks).toBe(1)
    time = 1000
    await health.findTrouble()
    expect(looks).toBe(2)
  })

  it('is over at once when the server stops', async () => {
    const health = createHealth(well)
    expect(await health.findTrouble()).toBeUndefined()
    health.drain()
    expect(await health.findTrouble()).toBe('draining')
  })
})
