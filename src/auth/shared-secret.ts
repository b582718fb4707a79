import { basicChallenge, bearerChallenge } from './challenges.ts'
import type { AuthPlugin, Permission } from './plugin.ts'

export interface SharedSecretDeps {
  /** The living share a refresh token opens. */
  findShare(refreshToken: string): Promise<
    | {
        readonly id: string
        readonly ownerId: string
        readonly path: readonly string[]
        readonly resourceType: 'file' | 'folder'
        readonly permissions: readonly Permission[]
        readonly recipientHost: string
        /** A strict share is opened by access tokens only. */
        readonly strict: boolean
      }
    | undefined
  >
}

/**
 * The refresh token presented as it is: as Bearer (OCM, "Resource Access" 4) or as the user name of
 * Basic (5), whatever the password. Peers that do not exchange tokens open shares this way.
 */
export function sharedSecret({ findShare }: SharedSecretDeps): AuthPlugin {
  return {
    name: 'shared-secret',
    schemes: ['Bearer', 'Basic'],
    challenge: (failure, scheme) =>
      scheme === 'Basic' ? basicChallenge() : bearerChallenge(failure),
    async authenticate(credential) {
      const bearer = credential.scheme === 'Bearer'
      const share = await findShare(bearer ? credential.token : credential.username)
      if (share === undefined) return { status: 'skip' }
      if (share.strict) {
        const code = bearer ? 'invalid_token' : 'invalid_credentials'
        const reason = `strict share ${share.id} opened with its refresh token`
        return { status: 'rejected', failure: { code, reason } }
      }
      const { id, ownerId, path, resourceType, permissions, recipientHost } = share
      const root = { ownerId, path, resourceType }
      const principal = {
        kind: 'share',
        shareId: id,
        root,
        permissions,
        peer: recipientHost,
      } as const
      return { status: 'authenticated', principal }
    },
  }
}
