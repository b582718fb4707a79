import { v2 } from 'webdav-server'
import type { AuthChain } from './chain.ts'
import type { Principal } from './plugin.ts'

/** A webdav-server user that still knows whose request it is. */
export interface PrincipalUser extends v2.IUser {
  readonly principal: Principal
}

/** How webdav-server's privilege manager will know the principal. */
function describe(principal: Principal): Pick<v2.IUser, 'uid' | 'username'> {
  switch (principal.kind) {
    case 'user':
      return { uid: principal.userId, username: principal.username }
    case 'share':
      return { uid: principal.shareId, username: principal.shareId }
    case 'token':
      return { uid: principal.clientId, username: principal.audience }
  }
}

/**
 * An `HTTPAuthentication` for any webdav-server v2 server: whoever the chain accepts becomes a
 * webdav-server user, everybody else gets 401 with the chain's challenges.
 *
 * @param userOf maps the principal to the user your privilege manager knows.
 */
export function webdavServerAuthentication(
  chain: AuthChain,
  userOf: (principal: Principal) => Pick<v2.IUser, 'uid' | 'username'> = describe,
): v2.HTTPAuthentication {
  return {
    askForAuthentication: () => ({ 'WWW-Authenticate': chain.challenges().join(', ') }),
    getUser(context, callback) {
      const { rawHeaders, socket } = context.request
      const authenticate = async () =>
        chain.authenticate({ rawHeaders, address: socket.remoteAddress ?? '' })
      authenticate().then(
        (result) => {
          if (result.status === 'refused') {
            // webdav-server asked for the challenge before anybody looked at the credential.
            const challenges = chain.challenges(result.failure).join(', ')
            context.response.setHeader('WWW-Authenticate', challenges)
            callback(v2.Errors.BadAuthentication)
            return
          }
          const { principal } = result
          const user: PrincipalUser = { ...userOf(principal), principal }
          callback(null as unknown as Error, user)
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error(String(error))),
      )
    },
  }
}
