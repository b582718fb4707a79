import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Work } from './contract.ts'
import { bigBytes, coldDirectories, readBig, readCold } from './data.ts'
import { listEachOnce } from './each-once.ts'
import { runCurl, runWrk } from './load.ts'
import { stallDownloads } from './stalled.ts'

const propfind = (depth: 0 | 1): string =>
  `wrk.method = 'PROPFIND'; wrk.headers['Depth'] = '${depth}'`

/** What rclone asks for: the same few properties of everybody. */
const named = `
wrk.headers['Content-Type'] = 'application/xml'
wrk.body = '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:"><d:prop>' ..
  '<d:displayname/><d:getlastmodified/><d:getcontentlength/><d:resourcetype/>' ..
  '</d:prop></d:propfind>'
`

/** Overwrites 64 files in turn, as sync clients do. */
const put = (server: string): string => `
local body = string.rep('davmesh ', 512)
local n = 0
request = function()
  n = n + 1
  return wrk.format('PUT', wrk.path .. '${server}-' .. (n % 64) .. '.txt', nil, body)
end
`

export const works: readonly Work[] = [
  {
    name: 'propfind-d1',
    title: 'PROPFIND depth 1, 1,000 files, unchanged, c8',
    unit: 'req/s',
    target: { of: 'nginx', ratio: 3 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, { connections: 8, seconds, path: '/d1000/', lua: propfind(1) }),
  },
  {
    name: 'propfind-d1-named',
    title: 'the same, four properties named',
    unit: 'req/s',
    target: { of: 'nginx', ratio: 3 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, {
        connections: 8,
        seconds,
        path: '/d1000/',
        lua: propfind(1) + named,
      }),
  },
  {
    name: 'propfind-d1-cold',
    title: 'PROPFIND depth 1, 1,000 files, first listing, c8',
    unit: 'req/s',
    target: { of: 'apache', ratio: 1 },
    warm: ({ data }) => readCold(data),
    async run(server, bench, { round }) {
      // Under names that nobody has seen, each directory is listed once.
      const fresh = `${server.name}-${round}`
      const moved = async (from: string, to: string): Promise<void> => {
        for (let index = 0; index < coldDirectories; index += 1) {
          await rename(join(bench.data, `${from}-${index}`), join(bench.data, `${to}-${index}`))
        }
      }
      await moved('cold', fresh)
      try {
        const paths = Array.from({ length: coldDirectories }, (_, index) => `/${fresh}-${index}/`)
        return await listEachOnce(server, paths, 8)
      } finally {
        await moved(fresh, 'cold')
      }
    },
  },
  {
    name: 'propfind-d0',
    title: 'PROPFIND depth 0, c8',
    unit: 'req/s',
    target: { of: 'apache', ratio: 1 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, {
        connections: 8,
        seconds,
        path: '/d1000/file-1.txt',
        lua: propfind(0),
      }),
  },
  ...[8, 64].map((connections): Work => ({
    name: `get-4k-c${connections}`,
    title: `GET 4 KiB, c${connections}`,
    unit: 'req/s',
    target: { of: 'apache', ratio: 0.85 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, { connections, seconds, path: '/d1000/file-1.txt' }),
  })),
  {
    name: 'get-1g',
    title: 'GET 1 GiB',
    unit: 'MB/s',
    target: { of: 'apache', ratio: 0.9 },
    warm: ({ data }) => readBig(data),
    run: (server, _, { seconds }) =>
      runCurl(server, { path: '/big.bin', bytes: bigBytes, seconds }),
  },
  {
    name: 'put-4k',
    title: 'PUT 4 KiB, c8',
    unit: 'req/s',
    target: { of: 'apache', ratio: 1 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, { connections: 8, seconds, path: '/put/', lua: put(server.name) }),
  },
  {
    name: 'put-1g',
    title: 'PUT 1 GiB',
    unit: 'MB/s',
    target: { of: 'apache', ratio: 1.2 },
    warm: ({ data }) => readBig(data),
    run: (server, bench, { seconds }) =>
      runCurl(server, {
        path: `/put/${server.name}.bin`,
        bytes: bigBytes,
        seconds,
        args: ['-T', join(bench.data, 'big.bin'), '-H', 'Expect:'],
      }),
  },
  {
    name: 'propfind-d1-10000',
    title: 'PROPFIND depth 1, 10,000 files, c1',
    unit: 'req/s',
    target: { of: 'apache', ratio: 1.5 },
    run: (server, bench, { seconds }) =>
      runWrk(server, bench, { connections: 1, seconds, path: '/d10000/', lua: propfind(1) }),
  },
  {
    name: 'stalled',
    title: '1,000 stalled downloads of 1 GiB',
    unit: 'connections',
    run: (server) => stallDownloads(server, '/big.bin', 1000),
  },
]
