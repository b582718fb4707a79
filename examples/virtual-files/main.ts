/** davmesh in front of a webdav-server v2 file system: here one that keeps everything in memory. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { v2 as webdav } from 'webdav-server'
import { createApp, loadConfig, treeOfFileSystem } from 'davmesh'

const [port = '8080', dataDir = mkdtempSync(join(tmpdir(), 'virtual-files-'))] =
  process.argv.slice(2)

// There is one user here. Each needs a file system of their own, as locks belong to a user's tree.
const tree = treeOfFileSystem(new webdav.VirtualFileSystem())

const config = loadConfig({
  flags: { listen: `127.0.0.1:${port}`, dataDir, logLevel: 'warn' },
})
const app = await createApp(config, { openHome: () => tree })
const { password = '' } = await app.services.users.addUser({ username: 'me' })
const { address } = await app.start()

process.stdout.write(`http://me:${password}@${address}/dav/files/me/\n`)
process.once('SIGTERM', () => void app.close())
