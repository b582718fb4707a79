import type { ServerUnderTest } from '../contract.ts'
import { freePort, startChild, waitUntilAnswering } from '../processes.ts'

/** A server that is a small program of its own beside this file. */
const nodeServer = (name: string, file: string): ServerUnderTest => ({
  name,
  async start({ data }) {
    const port = await freePort()
    const program = new URL(file, import.meta.url).pathname
    const child = startChild(process.execPath, ['--import', 'tsx', program, data, String(port)])
    const url = `http://127.0.0.1:${port}`
    await waitUntilAnswering(url)
    return { name, url, headers: {}, pid: child.pid ?? 0 }
  },
})

/** webdav-server 2.6.3 as it comes, without users. */
export const stock = nodeServer('stock', './stock-server.ts')

/** The least that node:http can do: no checks, no properties, prebuilt listings. */
export const bareNode = nodeServer('node', './bare-node.ts')
