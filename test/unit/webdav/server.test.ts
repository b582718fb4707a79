import { describe, expect, it } from '@jest/globals'
import { v2 } from 'webdav-server'
import { createAuthChain } from '../../../src/auth/index.ts'
import { createLogger } from '../../../src/core/index.ts'
import { createWebdav } from '../../../src/webdav/index.ts'

describe('the server object', () => {
  const { handle, server } = createWebdav({
    chain: createAuthChain([]),
    openTree: () => Promise.resolve(undefined),
    publicUrl: new URL('http://localhost'),
    maxXmlBytes: 1,
    maxUploadBytes: 1,
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
