import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import express from 'express'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { routeTable, type Route } from '../../../src/app.ts'
import { createApp } from '../../../src/create-app.ts'
import { request } from '../../support/http-request.ts'
import { expectEnvelope, expectInvariants } from '../../support/invariants.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

let server: TestServer
let routes: Route[]

beforeAll(async () => {
  server = await startServer()
  routes = routeTable(server.services())
})

afterAll(() => server.close())

/** Runs once for every path of the table, which is only known once a server stands. */
async function forEachPath(check: (path: string, route: Route) => Promise<void>): Promise<void> {
  for (const route of routes) for (const path of route.paths) await check(path, route)
}

const memberOf = { ocm: 'message', oauth: 'error' } as const

describe('every route of the table', () => {
  it('says who may ask, how much it reads and how it fails', () => {
    for (const route of routes) {
      expect(['none', 'peer']).toContain(route.auth)
      expect(['ocm', 'oauth']).toContain(route.dialect)
      expect(route.maxBodyBytes).toBeLessThanOrEqual(64 * 1024)
      // Nothing reads a body for a stranger who cannot prove anything.
      if (route.auth === 'none') expect([route.method, route.maxBodyBytes]).toEqual(['GET', 0])
    }
  })

  it('stands in the table once', () => {
    const all = routes.flatMap(({ method, paths }) => paths.map((path) => `${method} ${path}`))
    expect(new Set(all).size).toBe(all.length)
  })

  it('answers every other method with 405 and Allow (RFC 9110 §15.5.6)', async () => {
    await forEachPath(async (path, route) => {
      const allow = route.method === 'GET' ? 'GET, HEAD' : 'POST'
      for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND']) {
        if (method === route.method) continue
        const answer = await request(server.url + path, { method })
        expect([path, method, answer.status]).toEqual([path, method, 405])
        expect(answer.headers['allow']).toBe(allow)
        expectEnvelope(answer)
      }
    })
  })

  it('refuses a body beyond its limit, in its dialect, before it has been sent', async () => {
    await forEachPath(async (path, { method, dialect, maxBodyBytes }) => {
      if (method === 'GET') return
      const type = dialect === 'oauth' ? 'application/x-www-form-urlencoded' : 'application/json'
      const body = 'x'.repeat(maxBodyBytes + 1)
      const ask = () =>
        request(server.url + path, { method, body, headers: { 'content-type': type } })
      const [answer] = await expectInvariants(server, ask)
      expect([path, [413, 501].includes(answer?.status ?? 0)]).toEqual([path, true])
      expect(answer?.json()).toHaveProperty(memberOf[dialect])
    })
  })

  it('of a peer refuses a foreign Host with 421, in its dialect (C13)', async () => {
    await forEachPath(async (path, { auth, method, dialect }) => {
      if (auth !== 'peer') return
      const headers = { host: 'evil.example.org' }
      const [answer] = await expectInvariants(server, () =>
        request(server.url + path, { method, headers }),
      )
      expect([path, answer?.status]).toEqual([path, 421])
      expect(answer?.json()).toHaveProperty(memberOf[dialect])
    })
  })

  it('says nothing of Express and never redirects (S38)', async () => {
    await forEachPath(async (path, { method }) => {
      const answer = await request(server.url + path, { method })
      expect(answer.headers).not.toHaveProperty('x-powered-by')
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
      expect([path, answer.status < 300 || answer.status >= 400]).toEqual([path, true])
      expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    })
  })
})

describe('what is not in the table', () => {
  it.each([
    '/',
    '/ocm',
    '/ocm/',
    '/OCM/token',
    '/ocm/token/',
    '/.well-known/OCM',
    '/data',
    '/..',
    '/%00',
  ])('%s is 404 in our envelope', async (target) => {
    const [answer] = await expectInvariants(server, () => request(server.url, { target }))
    expect(answer?.status).toBe(404)
    expect(answer?.json()).toHaveProperty('message')
  })

  it.each(['/%', '/%zz', '/%c0%ae', '/ocm/%'])(
    '%s, badly escaped, is no fault of ours',
    async (target) => {
      const [answer] = await expectInvariants(server, () => request(server.url, { target }))
      expect([400, 404]).toContain(answer?.status)
    },
  )

  it('answers liveness and readiness', async () => {
    expect((await request(`${server.url}/healthz`)).json()).toEqual({ status: 'ok' })
    expect((await request(`${server.url}/readyz`)).json()).toEqual({ status: 'ready' })
  })

  it('says 500 with the request id and nothing else when we are at fault', async () => {
    await using broken = await startServer()
    broken.services().db.raw.reader.close()
    const answer = await request(`${broken.url}/.well-known/jwks.json`)
    expect(answer.status).toBe(500)
    expect(answer.json()).toEqual({
      message: `Internal error (request ${answer.headers['x-request-id'] ?? ''})`,
    })
    expectEnvelope(answer)
  })
})

describe('createApp', () => {
  it('is a listener for a server of one’s own, and closes what it opened', async () => {
    await using other = await startServer()
    const config = { ...other.services().config, dataDir: `${other.dir}/second` }
    const files = { ...config.files, root: `${other.dir}/second/files` }
    const secretKeyFile = `${other.dir}/second/secret.key`
    const app = await createApp({ ...config, files, secretKeyFile }, { log: other.log.log })
    const mounted = createServer(express().use('/', app.listener))
    await new Promise<void>((done) => mounted.listen(0, '127.0.0.1', done))
    const { port } = mounted.address() as AddressInfo
    const answer = await request(`http://127.0.0.1:${port}/.well-known/ocm`)
    expect(answer.json()).toMatchObject({ endPoint: `${config.publicUrl}/ocm` })
    mounted.closeAllConnections()
    await new Promise((done) => mounted.close(done))
    await app.close()
    expect(() => app.services.db.raw.reader.pragma('user_version')).toThrow()
  })

  it('listens by itself on config.listen', async () => {
    await using other = await startServer()
    const base = other.services().config
    const dataDir = `${other.dir}/third`
    const config = {
      ...base,
      dataDir,
      secretKeyFile: `${dataDir}/secret.key`,
      files: { ...base.files, root: `${dataDir}/files` },
      listen: { host: '127.0.0.1', port: 0 },
      admin: { listen: { host: '127.0.0.1', port: 0 } },
    }
    await using app = await createApp(config, { log: other.log.log })
    const { address } = await app.start()
    expect((await request(`http://${address}/healthz`)).status).toBe(200)
  })
})
