import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { loadConfig } from '../../../src/config/index.ts'
import { createLogger, createSealer, loadSecretKey } from '../../../src/core/index.ts'
import { openDatabase, sealedValues } from '../../../src/db/index.ts'
import { takeData } from '../../../src/server.ts'
import { openServices } from '../../../src/services.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { crashStage, type CrashStage } from '../crash/stage.ts'
import { rowsOf } from '../db/old-database.ts'

/** Each case starts the built server. */
jest.setTimeout(60_000)

const log = createLogger({ level: 'silent', format: 'json' })

let stage: CrashStage
let keyFile: string

beforeAll(async () => {
  stage = await crashStage({ secretKeyFile: 'elsewhere/secret.key' })
  keyFile = join(dirname(stage.configFile), 'elsewhere', 'secret.key')
})

afterAll(async () => {
  await stage[Symbol.asyncDispose]()
})

beforeEach(() => stage.stop())

const davmesh = (...args: string[]) =>
  runCliHere(['--config', stage.configFile, ...args], dirname(stage.configFile))

const keyText = (): string => readFileSync(keyFile, 'utf8')
const database = (): string => join(stage.dataDir, 'davmesh.sqlite')

/** Opens every sealed value with the keys of the file. */
function expectOpen(): void {
  const { current, former } = loadSecretKey(keyFile, log)
  const sealer = createSealer(current, former)
  const db = openDatabase(database())
  try {
    const opened = [...sealedValues(db)].map(({ sealed, context }) => sealer.open(sealed, context))
    expect(opened.length).toBeGreaterThan(0)
  } finally {
    db.close()
  }
}

const dist = new URL('../../../dist/', import.meta.url).href

const program = `
  const [configFile, fault] = process.argv.slice(1)
  const { armFault, createLogger, systemClock } = await import('${dist}core/index.js')
  const { loadConfig } = await import('${dist}config/index.js')
  const { rotateSecret } = await import('${dist}rotate-secret.js')
  const log = createLogger({ level: 'silent', format: 'json' })
  armFault(fault, log)
  await rotateSecret(loadConfig({ file: configFile, environment: {} }), systemClock, log)
`

async function dieRotating(fault: string): Promise<void> {
  const args = ['--input-type=module', '-e', program, stage.configFile, fault]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
}

describe('davmesh secret rotate', () => {
  it('seals everything anew; nothing of the former key is left', async () => {
    const before = keyText()
    const done = await davmesh('secret', 'rotate', '--json')
    expect([done.code, done.err]).toEqual([0, ''])
    expect(JSON.parse(done.out)).toEqual({ file: keyFile, resealed: 1, continued: false })
    expect(keyText()).toMatch(/^[A-Za-z0-9_-]{43}\n$/)
    expect(keyText()).not.toBe(before)
    expect(statSync(keyFile).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(keyFile))).toEqual(['secret.key'])
    expectOpen()
    await stage.start()
    expect((await stage.dav().put('a.txt', 'a')).status).toBeLessThan(300)
  })

  it('is refused while a server runs', async () => {
    await stage.start()
    const before = keyText()
    const refused = await davmesh('secret', 'rotate')
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('Stop it first')])
    expect(keyText()).toBe(before)
  })

  it.each([
    ['secret.staged', 2],
    ['secret.resealing', 2],
    ['secret.resealed', 2],
    ['secret.replaced', 1],
  ])('killed at %s: everything opens, and the next start completes it', async (point, lines) => {
    const before = keyText()
    await dieRotating(`${point}:kill`)
    expect(keyText().trim().split('\n')).toHaveLength(lines)
    expect(keyText()).not.toBe(before)
    expectOpen()
    await stage.start()
    expect((await stage.dav().get('nothing.txt')).status).toBe(404)
    expect(keyText().trim().split('\n')).toHaveLength(1)
    expectOpen()
  })

  it('killed twice is completed by itself as well', async () => {
    await dieRotating('secret.staged:kill')
    const [next] = keyText().split('\n')
    await dieRotating('secret.resealed:kill')
    const done = await davmesh('secret', 'rotate', '--json')
    expect(JSON.parse(done.out)).toMatchObject({ continued: true })
    expect(keyText()).toBe(`${next}\n`)
    expectOpen()
  })
})

describe('a start beside a rotation', () => {
  it('is refused when the key it has read is not the one any more', async () => {
    const config = loadConfig({ file: stage.configFile, environment: {} })
    const services = await openServices(config, log)
    try {
      expect((await davmesh('secret', 'rotate')).code).toBe(0)
      await expect(takeData(services)).rejects.toMatchObject({ code: 'secret_key_replaced' })
    } finally {
      await services.close()
    }
    writeFileSync(`${keyFile}.abcdEF12.partial`, 'left by a kill')
    await stage.start()
    expect(readdirSync(dirname(keyFile))).toEqual(['secret.key'])
  })
})

describe('R8: a start without the right secret.key', () => {
  /** Refused with one line, and everything is as it was. */
  async function expectRefusal(line: string): Promise<void> {
    const before = { rows: rowsOf(database()), homes: stage.files('') }
    await expect(stage.start()).rejects.toThrow(/^serve ended: error: [^\n]+\n$/)
    await expect(stage.start()).rejects.toThrow(line)
    for (const args of [
      ['user', 'list'],
      ['db', 'check'],
      ['secret', 'rotate'],
    ]) {
      const refused = await davmesh(...args)
      expect([refused.code, refused.out]).toEqual([1, ''])
    }
    expect({ rows: rowsOf(database()), homes: stage.files('') }).toEqual(before)
  }

  it.each([
    ['wrong', () => writeFileSync(keyFile, `${'A'.repeat(43)}\n`), 'is not the one this database'],
    ['cut off', () => writeFileSync(keyFile, 'AAAA\n'), 'must be 32 bytes as base64url'],
    ['lost', () => rmSync(keyFile), 'is missing'],
  ])('%s: one line, and nothing changes', async (_name, spoil, line) => {
    const right = keyText()
    spoil()
    const spoilt = readdirSync(dirname(keyFile)).map((name) =>
      readFileSync(join(dirname(keyFile), name), 'utf8'),
    )
    await expectRefusal(line)
    const after = readdirSync(dirname(keyFile)).map((name) =>
      readFileSync(join(dirname(keyFile), name), 'utf8'),
    )
    expect(after).toEqual(spoilt)
    writeFileSync(keyFile, right, { mode: 0o600 })
    await stage.start()
  })
})
