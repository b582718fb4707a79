import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServerUnderTest } from '../contract.ts'
import { freePort, runToEnd, startChild, waitUntilAnswering } from '../processes.ts'
import { startStubPeer } from './stub-peer.ts'

const main = new URL('../../../../dist/main.js', import.meta.url).pathname

/** One process, opened with the access token of a share of the whole tree. */
export const davmesh: ServerUnderTest = {
  name: 'davmesh',
  async start({ dir, data }) {
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const home = join(dir, 'davmesh')
    await mkdir(home)
    const config = join(home, 'config.json')
    await writeFile(
      config,
      JSON.stringify({
        publicUrl: url,
        dev: true,
        dataDir: join(home, 'data'),
        listen: { host: '127.0.0.1', port },
        files: { durability: 'normal' },
        tokens: { ttlSeconds: 86_400 },
        // The others write no access log either.
        log: { level: 'error', format: 'json' },
      }),
    )
    const cli = (...args: string[]) =>
      runToEnd(process.execPath, [main, ...args, '--config', config, '--json'])
    const peer = await startStubPeer()
    try {
      await cli('user', 'add', 'bench', '--home', data)
      const child = startChild(process.execPath, [main, 'serve', '--config', config])
      await waitUntilAnswering(`${url}/healthz`)
      const address = `friend@${peer.host}`
      await cli('share', 'create', 'bench', '/', address, '--permissions', 'read,write')
      const { shareId, accessToken } = await peer.exchange(url)
      return {
        name: 'davmesh',
        url: `${url}/dav/ocm/${shareId}`,
        headers: { Authorization: `Bearer ${accessToken}` },
        pid: child.pid ?? 0,
      }
    } finally {
      peer.close()
    }
  },
}
