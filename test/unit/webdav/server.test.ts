import { describe, expect, it } from '@jest/globals'
import { v2 } from 'webdav-server'
import { createAuthChain } from '../../../src/auth/index.ts'
import { createLogger } from '../../../src/core/index.ts'
import { createWebdav, type ResourceVerbs } from '../../../src/webdav/index.ts'

const never = (): never => {
  throw new Error('not in this test')
}

const resources: ResourceVerbs = {
  hasLocks: never,
  findLocks: never,
  addLock: never,
  refreshLock: never,
  removeLock: never,
  hasProperties: never,
  findProperties: never,
  patchProperties: never,
  forgetProperties: never,
  carryOut: never,
  enter: never,
  settled: never,
}

describe('the server object', () => {
  const { handle, server } = createWebdav({
    chain: createAuthChain([]),
    openTree: () => Promise.resolve(undefined),
    publicUrl: new URL('http://localhost'),
    maxXmlBytes: 1,
    maxUploadBytes: 1,
    resources,
    isShareId: () => false,
    log: createLogger({ level: 'silent', format: 'json' }),
  })

  it('is one of webdav-server, with our dispatcher', () => {
    expect(server).toBeInstanceOf(v2.WebDAVServer)
    expect(server.executeRequest).toBe(handle)
  })

  it('has no stock method and does not start the stock engine', () => {
    expect(server.methods).toEqual({})
    expect(() => {
      server.start(0)
    }).toThrow('executeRequest')
  })
})
