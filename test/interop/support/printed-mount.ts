import { join } from 'node:path'
import { startEmbeddedDefault } from './davmesh.ts'
import { openPlace, type PlaceName } from './place.ts'

export type MountClient = 'rclone' | 'davfs2'

/** A tree that is served, and the command that mounts it. */
export interface Served {
  readonly root: string
  readonly command: string
  close(): Promise<void>
}

/** What a first start serves, and the command it prints. */
export async function serveOwnFiles(client: MountClient): Promise<Served> {
  const { banner, dataDir, stop } = await startEmbeddedDefault()
  const root = join(dataDir, 'files', 'me')
  return { root, command: printedCommand(banner, client), close: stop }
}

/** The printed command with another place in it. */
export async function servePlace(client: MountClient, name: PlaceName): Promise<Served> {
  const first = await serveOwnFiles(client)
  await first.close()
  const { root, url, login, close } = await openPlace(name)
  const { username = '', password = '' } = login ?? {}
  const command = first.command
    .replace(/http:\S+\/dav\/files\/me\//, `${url}/`)
    .replace(/\b(username|user)=me\b/, `$1=${username}`)
    .replace(/(echo |pass=)(?!')\S+/, `$1${password}`)
  return { root, command, close }
}

function printedCommand(banner: string, client: MountClient): string {
  const mark = { rclone: 'rclone mount', davfs2: 'mount -t davfs' }[client]
  const line = banner.split('\n').find((text) => text.includes(mark))
  if (line === undefined) throw new Error(`no line with "${mark}" in:\n${banner}`)
  return line.trim()
}
