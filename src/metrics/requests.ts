import { Counter, Histogram, type Registry } from 'prom-client'
import type { RequestEnd } from '../http/index.ts'
import { routeName, type RouteName } from './route-name.ts'

const methods: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PROPFIND', 'PROPPATCH'],
  ...['MKCOL', 'COPY', 'MOVE', 'LOCK', 'UNLOCK'],
])

/** From a cached answer on loopback to a large transfer, in seconds. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600]

/** What is known of the requests of one route and method. */
interface Series {
  readonly labels: { readonly route: RouteName; readonly method: string }
  readonly observe: (seconds: number) => void
  readonly byStatus: Map<number, number>
  received: number
  sent: number
}

/**
 * Counts requests as they end. Plain numbers are added up on the way and become counters when
 * somebody asks, since a counter of the library costs as much as the rest of this together.
 */
export function countRequests(registry: Registry): (end: RequestEnd) => void {
  const all = new Map<RouteName, Map<string, Series>>()
  const registers = [registry]
  const labelNames = ['route', 'method'] as const

  function each(write: (series: Series) => void): void {
    for (const ofRoute of all.values()) for (const series of ofRoute.values()) write(series)
  }

  const seconds = new Histogram({
    name: 'davmesh_http_request_duration_seconds',
    help: 'Time from the head of a request to the end of its answer, body included',
    labelNames,
    buckets,
    registers,
  })
  new Counter({
    name: 'davmesh_http_requests_total',
    help: 'Requests answered; 499 is a client that left before the answer began',
    labelNames: [...labelNames, 'status'],
    registers,
    collect() {
      this.reset()
      each(({ labels, byStatus }) => {
        for (const [status, count] of byStatus) this.inc({ ...labels, status }, count)
      })
    },
  })
  countBytes('received', 'Bytes that came with requests, heads included')
  countBytes('sent', 'Bytes that went with answers, heads included')

  function countBytes(way: 'received' | 'sent', help: string): void {
    new Counter({
      name: `davmesh_http_${way}_bytes_total`,
      help,
      labelNames,
      registers,
      collect() {
        this.reset()
        each((series) => this.inc(series.labels, series[way]))
      },
    })
  }

  function seriesOf(route: RouteName, asked: string): Series {
    const ofRoute = all.get(route) ?? new Map<string, Series>()
    all.set(route, ofRoute)
    const method = methods.has(asked) ? asked : 'other'
    const known = ofRoute.get(method)
    if (known !== undefined) return known
    const labels = { route, method }
    const { observe } = seconds.labels(labels)
    const series: Series = { labels, observe, byStatus: new Map(), received: 0, sent: 0 }
    ofRoute.set(method, series)
    return series
  }

  return ({ method, path, status, ms, received, sent }) => {
    const series = seriesOf(routeName(path), method)
    series.byStatus.set(status, (series.byStatus.get(status) ?? 0) + 1)
    series.received += received
    series.sent += sent
    series.observe(ms / 1000)
  }
}
