import { describe, expect, it } from '@jest/globals'
import { Registry } from 'prom-client'
import { createReasons } from '../../../src/metrics/reasons.ts'
import { countRequests } from '../../../src/metrics/requests.ts'
import { routeName } from '../../../src/metrics/route-name.ts'

describe('the name of a route', () => {
  it.each([
    ['/dav/files/alice/Photos/a.jpg', 'dav-files'],
    ['/DAV/Files/alice', 'dav-files'],
    ['/dav/files', 'dav-files'],
    ['/dav/filesystem/x', 'dav'],
    ['/dav/ocm/shr-1/x', 'dav-ocm'],
    ['/dav/ocm', 'dav-ocm'],
    ['/dav', 'dav'],
    ['/david', 'other'],
    ['/ocm/token', 'token'],
    ['/ocm/invites/accept', 'invite-accepted'],
    ['/ocm/token/', 'other'],
    ['/.well-known/jwks.json', 'jwks'],
    ['*', 'other'],
    ['', 'other'],
    ['/constructor', 'other'],
  ])('%s is %s', (path, name) => {
    expect(routeName(path)).toBe(name)
  })
})

describe('what is counted of requests', () => {
  const end = { method: 'GET', path: '/dav/ocm/x', status: 200, ms: 3, received: 100, sent: 2000 }

  it('is their number, time and bytes, by route and method', async () => {
    const registry = new Registry()
    const observe = countRequests(registry)
    observe(end)
    observe({ ...end, status: 404, ms: 700 })
    const text = await registry.metrics()
    const labels = 'route="dav-ocm",method="GET"'
    for (const line of [
      `davmesh_http_requests_total{${labels},status="200"} 1`,
      `davmesh_http_requests_total{${labels},status="404"} 1`,
      `davmesh_http_request_duration_seconds_bucket{le="0.005",${labels}} 1`,
      `davmesh_http_request_duration_seconds_count{${labels}} 2`,
      `davmesh_http_received_bytes_total{${labels}} 200`,
      `davmesh_http_sent_bytes_total{${labels}} 4000`,
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    // Asking again counts nothing twice.
    expect(await registry.metrics()).toBe(text)
  })

  it('has no more series than routes and methods, whatever is sent', async () => {
    const registry = new Registry()
    const observe = countRequests(registry)
    for (let i = 0; i < 1000; i++) observe({ ...end, method: `M${i}`, path: `/p${i}` })
    const text = await registry.metrics()
    expect(text.match(/^davmesh_http_requests_total\{/gm)).toHaveLength(1)
    expect(text).toContain('{route="other",method="other",status="200"} 1000')
  })
})

describe('reasons as labels', () => {
  it('are our own words alone', () => {
    const reasonOf = createReasons()
    expect(reasonOf('keyid_malformed')).toBe('keyid_malformed')
    expect(reasonOf('wrong password')).toBe('wrong_password')
    for (const reason of ['', 'strict share shr-Q5aX opened', 'x"} 1\n', 'a'.repeat(60)]) {
      expect(reasonOf(reason)).toBe('other')
    }
  })

  it('are sixty at most; the known ones stay', () => {
    const reasonOf = createReasons()
    const all = Array.from({ length: 100 }, (_, index) => reasonOf(`r${index}`))
    expect(new Set(all).size).toBe(61)
    expect([reasonOf('r59'), reasonOf('r60')]).toEqual(['r59', 'other'])
  })
})
