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
  'a share mounted at another server',
] as const

/** Those that a client without Bearer can reach: by Basic. */
export const basicPlaceNames = [placeNames[0], placeNames[1], placeNames[4]] as const

export type PlaceName = (typeof placeNames)[number]

/** A server with user alice, and one of the places that clients use. */
export async function openPlace(name: PlaceName): Promise<Place> {
  if (name === 'a share mounted at another server') return openMountedShare()
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

/** What alice shares with bob as bob sees it at his own server, which is the one that is watched. */
export async function openMountedShare(): Promise<Place> {
  const [alices, bobs] = await Promise.all([startDavmesh(), startDavmesh()])
  await alices.addUser('alice')
  const password = await bobs.addUser('bob')
  const root = join(alices.dataDir, 'files', 'alice', 'Holiday')
  mkdirSync(root, { recursive: true })
  const bob = `bob@${new URL(bobs.url).host}`
  const wish = ['alice', '/Holiday', bob, '--permissions', 'read,write']
  await alices.cli('share', 'create', ...wish)
  const [received] = await bobs.cli<{ id: string }[]>('received', 'list')
  await bobs.cli('received', 'accept', received?.id ?? 'nothing received')
  const local = newFolder()
  return {
    davmesh: bobs,
    url: `${bobs.url}/dav/files/bob/Shared/Holiday`,
    login: { username: 'bob', password },
    root,
    local,
    async close() {
      await Promise.all([alices.stop(), bobs.stop()])
      rmSync(local, { recursive: true, force: true })
    },
  }
}
