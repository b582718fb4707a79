import { LRUCache } from 'lru-cache'
import {
  basicAppPassword,
  bearerAccessToken,
  createAuthChain,
  realm,
  sharedSecret,
  type AuthChain,
  type AuthPlugin,
  type Principal,
  type ShareRoot,
} from './auth/index.ts'
import { createAddressOf } from './client-address.ts'
import type { Config } from './config/index.ts'
import { andThen, type Awaitable } from './core/index.ts'
import { subtree, type FileTree } from './files/index.ts'
import { noteRequest, requestIdOf, type RequestNotes } from './http/index.ts'
import { uploadPace } from './request-limits.ts'
import type { Services } from './services.ts'
import { isShareId } from './shares/index.ts'
import type { User } from './users/index.ts'
import { createWebdav } from './webdav/index.ts'

/** Joins WebDAV to the people, shares and tokens that open it. */
export function createDav(services: Services) {
  const { config, log } = services
  return createWebdav({
    chain: createChain(services),
    openTree: createTreeOpener(services),
    resources: services.resources,
    isShareId,
    publicUrl: new URL(config.publicUrl),
    maxXmlBytes: config.webdav.maxXmlBytes,
    maxUploadBytes: config.webdav.maxUploadBytes,
    infiniteDepth: config.webdav.infiniteDepth,
    uploadPace: uploadPace(config.limits),
    keepFreeBytes: config.limits.transfers.keepFreeBytes,
    realm,
    requestIdOf,
    onIdentified: (request, principal) => noteRequest(request, describePrincipal(principal)),
    addressOf: createAddressOf(config.trustProxy),
    log: log.child({ room: 'webdav' }),
  })
}

/** Who it was, for the log line of the request. */
function describePrincipal(principal: Principal): RequestNotes {
  switch (principal.kind) {
    case 'user':
      return { principal: principal.username }
    case 'share':
      return { peer: principal.peer, shareId: principal.shareId, jti: principal.jti }
    case 'token':
      return { jti: principal.jti }
  }
}

/** The plugins of `auth.plugins`, in that order. */
export function createChain({ config, tokens, users, shares, events }: Services): AuthChain {
  const plugins: Record<Config['auth']['plugins'][number], AuthPlugin> = {
    'bearer-access-token': bearerAccessToken({ verify: tokens.verify }),
    'basic-app-password': basicAppPassword({ login: users.login }),
    'shared-secret': sharedSecret({ findShare: shares.findLiveShare }),
  }
  return createAuthChain(
    config.auth.plugins.map((name) => plugins[name]),
    (plugin, { reason }) => events.emit('credential.refused', { plugin, reason }),
  )
}

/** A user's tree with what others share, or the part of the owner's files that a share opens. */
function createTreeOpener({ users, treeOf, userTreeOf }: Services) {
  const parts = new LRUCache<string, FileTree>({ max: 1000 })
  const homeOf = byUser(treeOf)
  const wholeOf = byUser(userTreeOf)

  function byUser(open: (user: User) => FileTree) {
    const trees = new LRUCache<string, FileTree>({ max: 1000 })
    async function openAnew(userId: string): Promise<FileTree | undefined> {
      const user = await users.findUserById(userId)
      const tree = user && open(user)
      if (tree !== undefined) trees.set(userId, tree)
      return tree
    }
    return (userId: string): Awaitable<FileTree | undefined> =>
      trees.get(userId) ?? openAnew(userId)
  }

  function partOf({ ownerId, path }: ShareRoot): Awaitable<FileTree | undefined> {
    const key = [ownerId, ...path].join('/')
    const known = parts.get(key)
    if (known !== undefined) return known
    return andThen(homeOf(ownerId), (home) => {
      const tree = home && subtree(home, path)
      if (tree !== undefined) parts.set(key, tree)
      return tree
    })
  }

  return (principal: Principal): Awaitable<FileTree | undefined> => {
    switch (principal.kind) {
      case 'user':
        return wholeOf(principal.userId)
      case 'share':
        return partOf(principal.root)
      case 'token':
        return undefined
    }
  }
}
