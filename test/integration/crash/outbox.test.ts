import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { mkdir, writeFile } from 'node:fs/promises'
import { loadConfig } from '../../../src/config/index.ts'
import { createLogger, systemClock, type FaultPoint } from '../../../src/core/index.ts'
import { openServices, type Services } from '../../../src/services.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

/** Each case starts built processes. */
jest.setTimeout(60_000)

let folder: TempDir
let peer: IndependentPeer
let configFile: string

beforeEach(async () => {
  folder = await tempDir()
  peer = await independentPeer()
  configFile = join(folder.path, 'config.json')
  const content = { publicUrl: 'http://127.0.0.1:9', dataDir: join(folder.path, 'data'), dev: true }
  await writeFile(configFile, JSON.stringify(content))
  const services = await open()
  const { user } = await services.users.addUser({ username: 'alice' })
  await mkdir(join(user.home, 'Holiday'), { recursive: true })
  await services.close()
})

afterEach(async () => {
  await peer.close()
  await folder[Symbol.asyncDispose]()
})

/** The same data some time later, when what a dead process held has run out. */
const open = (laterMs = 0): Promise<Services> =>
  openServices(
    loadConfig({ file: configFile, environment: {} }),
    createLogger({ level: 'silent', format: 'json' }),
    { clock: { now: () => systemClock.now() + laterMs } },
  )

const dist = new URL('../../../dist/', import.meta.url).href

/** The command line arms no fault, so this is its `share create` on the built rooms. */
const program = `
  const [configFile, recipient, fault] = process.argv.slice(1)
  const { armFault, createLogger } = await import('${dist}core/index.js')
  const { loadConfig } = await import('${dist}config/index.js')
  const { openServices } = await import('${dist}services.js')
  const log = createLogger({ level: 'silent', format: 'json' })
  armFault(fault, log)
  const services = await openServices(loadConfig({ file: configFile, environment: {} }), log)
  await services.shares.createShare({ owner: 'alice', path: '/Holiday', recipient })
  await services.close()
`

async function shareAndDie(fault: `${FaultPoint}:kill`): Promise<void> {
  const recipient = `bob@${peer.host}`
  const args = ['--input-type=module', '-e', program, configFile, recipient, fault]
  const child = spawn(process.execPath, args, { stdio: 'ignore' })
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL'])
}

describe('killed while it shares', () => {
  it.each<[FaultPoint, number, string]>([
    ['share.committed', 0, 'pending'],
    ['outbox.claimed', 0, 'pending'],
    ['outbox.posted', 1, 'pending'],
    ['outbox.settled', 1, 'sent'],
  ])('at %s: the peer ends with exactly one share', async (point, before, state) => {
    await shareAndDie(`${point}:kill`)
    expect(peer.shares).toHaveLength(before)
    // A peer that has it calls the repeat a conflict, or takes it for the same.
    if (before > 0) peer.replyToShares({ status: 409, body: { message: 'exists' } })
    const services = await open(100_000)
    try {
      const [one, ...others] = await services.shares.listShares()
      expect([one?.state, others]).toEqual([state, []])
      await services.outbox.runDue()
      expect((await services.shares.listShares()).map((each) => each.state)).toEqual(['sent'])
      expect(await services.outbox.list()).toEqual([])
      const ids = new Set(peer.shares.map(({ body }) => body.providerId))
      expect([...ids]).toEqual([one?.id])
      const secrets = peer.shares.map(({ body }) => body.protocol.webdav.sharedSecret)
      expect(new Set(secrets).size).toBe(1)
    } finally {
      await services.close()
    }
  })
})
