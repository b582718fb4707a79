import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { startDavmesh, type Davmesh } from '../../interop/support/davmesh.ts'
import { openShare, type OpenedShare } from '../../interop/support/open-share.ts'
import { track } from '../../interop/support/tools.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { independentPeer, type IndependentPeer } from '../../support/peer/independent-peer.ts'
import { tempDir, type TempDir } from '../../support/temp-dir.ts'

const startMs = 60_000

let davmesh: Davmesh
let peer: IndependentPeer
let share: OpenedShare

beforeAll(async () => {
  davmesh = await startDavmesh()
  peer = await independentPeer()
  await davmesh.addUser('alice')
  share = await openShare(davmesh, peer, { owner: 'alice', path: '/' })
}, startMs)

afterAll(async () => {
  await peer.close()
  await davmesh.stop()
}, startMs)

/** Runs an example as its README says; it prints the URL to try. */
async function startExample(
  name: string,
  ...args: readonly string[]
): Promise<{ url: string; child: ChildProcess }> {
  const main = fileURLToPath(new URL(`../../../examples/${name}/main.ts`, import.meta.url))
  const command = ['--import', 'tsx', main, ...args]
  const child = track(spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] }))
  for await (const url of createInterface({ input: child.stdout })) {
    return { url, child }
  }
  throw new Error(`the example ${name} ended without listening`)
}

async function stopExample(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit')
  child.kill()
  await ended
}

/** The same token with one letter of its claims or its signature changed. */
function tamper(token: string, part: 1 | 2): string {
  const parts = token.split('.')
  const text = parts[part] ?? ''
  // The first letter carries no padding bits, so that the change is one of the bytes.
  parts[part] = (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
  return parts.join('.')
}

const get = (url: string, token?: string): Promise<Response> =>
  fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })

describe.each(['express-route', 'webdav-server'])('the example %s', (name) => {
  let url: string
  let child: ChildProcess

  beforeAll(async () => {
    ;({ url, child } = await startExample(name, davmesh.url, '0'))
  }, startMs)

  afterAll(() => stopExample(child))

  it('accepts an access token and knows the owner and the share', async () => {
    const response = await get(url, share.accessToken)
    expect(response.status).toBe(200)
    if (name === 'express-route') {
      const recipient = `bob@${peer.host}`
      expect(await response.json()).toMatchObject({ owner: 'alice', share: share.id, recipient })
    } else {
      expect(response.headers.get('x-owner')).toBe('alice')
      expect(response.headers.get('x-share')).toBe(share.id)
      expect(await response.text()).toBe('You came with a davmesh token.\n')
    }
  })

  it('answers 401 with a challenge to a request without a token', async () => {
    const response = await get(url)
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="davmesh"')
  })

  it.each([1, 2] as const)('answers 401 to a token with part %d tampered with', async (part) => {
    const response = await get(url, tamper(share.accessToken, part))
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe(
      'Bearer realm="davmesh", error="invalid_token"',
    )
  })

  it('answers 401 to a refresh token, which only davmesh can judge', async () => {
    expect((await get(url, share.refreshToken)).status).toBe(401)
  })
})

describe('the example virtual-files', () => {
  let url: string
  let child: ChildProcess
  let data: TempDir

  beforeAll(async () => {
    data = await tempDir()
    ;({ url, child } = await startExample('virtual-files', '0', data.path))
  }, startMs)

  afterAll(async () => {
    await stopExample(child)
    await data[Symbol.asyncDispose]()
  })

  it('serves its files to the user it prints', async () => {
    const { username, password, origin, pathname } = new URL(url)
    const me = davClient(origin + pathname, basic(username, password))
    expect((await me.put('hello.txt', 'in memory')).status).toBe(201)
    expect((await me.copyOrMove('COPY', 'hello.txt', `${pathname}copy.txt`)).status).toBe(201)
    expect((await me.get('copy.txt')).text).toBe('in memory')
    expect((await me.remove('hello.txt')).status).toBe(204)
    expect((await davClient(origin + pathname).get('copy.txt')).status).toBe(401)
  })
})
