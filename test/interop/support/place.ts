import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { startDavmesh, type Davmesh } from './davmesh.ts'
import { openShare } from './open-share.ts'
import { newFolder } from './tools.ts'

/** One of the two trees of a running server, and what opens it. */
export interface Place {
  readonly davmesh: Davmesh
  /** Without a trailing slash. */
  readonly url: string
  /** Either this … */
  readonly accessToken?: string
  /** … or these. */
  readonly login?: { readonly username: string; readonly password: string }
  /** Where the server keeps the files of the tree. */
  readonly root: string
  /** A folder on the client's side. */
  readonly local: string
  close(): Promise<void>
}

export const placeNames = [
  'own files with an app password',
  'a share with its secret',
  'a share with an access token',
  'a share at its own URL with an access token',
] as const

/** Those that a client without Bearer can reach: by Basic. */
export const basicPlaceNames = [placeNames[0], placeNames[1]] as const

export type PlaceName = (typeof placeNames)[number]

/** A server with user alice, and one of the places that clients use. */
export async function openPlace(name: PlaceName): Promise<Place> {
  const davmesh = await startDavmesh()
  const password = await davmesh.addUser('alice')
  const home = join(davmesh.dataDir, 'files', 'alice')
  const local = newFolder()
  const close = () => davmesh.stop().finally(() => rmSync(local, { recursive: true, force: true }))
  if (name === 'own files with an app password') {
    const login = { username: 'alice', password }
    return { davmesh, url: `${davmesh.url}/dav/files/alice`, login, root: home, local, close }
  }
  const root = join(home, 'Holiday')
  mkdirSync(root)
  const peer = await independentPeer()
  const share = await openShare(davmesh, peer, { owner: 'alice', path: '/Holiday' })
  await peer.close()
  const credential =
    name === 'a share with its secret'
      ? { login: { username: share.refreshToken, password: 'none' } }
      : { accessToken: share.accessToken }
  const url = name.includes('at its own URL') ? share.url : `${davmesh.url}/dav/ocm`
  return { davmesh, url, ...credential, root, local, close }
}
