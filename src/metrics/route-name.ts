/** What requests are counted by: never a path, which would name users, shares and files. */
export type RouteName =
  | 'dav-files'
  | 'dav-ocm'
  | 'dav'
  | 'token'
  | 'shares'
  | 'notifications'
  | 'invite-accepted'
  | 'discovery'
  | 'jwks'
  | 'health'
  | 'other'

const exact: ReadonlyMap<string, RouteName> = new Map([
  ['/ocm/token', 'token'],
  ['/ocm/shares', 'shares'],
  ['/ocm/notifications', 'notifications'],
  ['/ocm/invite-accepted', 'invite-accepted'],
  ['/ocm/invites/accept', 'invite-accepted'],
  ['/.well-known/ocm', 'discovery'],
  ['/ocm-provider', 'discovery'],
  ['/ocm-provider/', 'discovery'],
  ['/ocm-provider/index.php', 'discovery'],
  ['/index.php/ocm-provider', 'discovery'],
  ['/index.php/ocm-provider/', 'discovery'],
  ['/.well-known/jwks.json', 'jwks'],
  ['/healthz', 'health'],
  ['/readyz', 'health'],
])

const dav = /^\/dav(?:\/(files|ocm)(?=\/|$))?(?:\/|$)/i

/** @param path as a client sent it, without query and authority. */
export function routeName(path: string): RouteName {
  const [found, tree] = dav.exec(path) ?? []
  if (found === undefined) return exact.get(path) ?? 'other'
  if (tree === undefined) return 'dav'
  return tree.toLowerCase() === 'files' ? 'dav-files' : 'dav-ocm'
}
