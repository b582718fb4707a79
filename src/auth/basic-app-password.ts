import { basicChallenge } from './challenges.ts'
import type { AuthPlugin } from './plugin.ts'

export interface BasicAppPasswordDeps {
  login(
    username: string,
    password: string,
    address: string,
  ): Promise<
    | { readonly status: 'ok'; readonly userId: string; readonly username: string }
    | { readonly status: 'not_a_username' }
    | { readonly status: 'wrong' }
    | { readonly status: 'throttled'; readonly retryAfterSeconds: number }
  >
}

/** Local people with an app password, or the password they chose. */
export function basicAppPassword({ login }: BasicAppPasswordDeps): AuthPlugin {
  return {
    name: 'basic-app-password',
    schemes: ['Basic'],
    challenge: basicChallenge,
    async authenticate(credential, { address }) {
      if (credential.scheme !== 'Basic') return { status: 'skip' }
      const outcome = await login(credential.username, credential.password, address)
      switch (outcome.status) {
        case 'not_a_username':
          return { status: 'skip' }
        case 'ok': {
          const { userId, username } = outcome
          return { status: 'authenticated', principal: { kind: 'user', userId, username } }
        }
        case 'wrong': {
          const reason = 'wrong password or unknown user'
          return { status: 'rejected', failure: { code: 'invalid_credentials', reason } }
        }
        case 'throttled': {
          const { retryAfterSeconds } = outcome
          const reason = 'too many failures'
          return {
            status: 'rejected',
            failure: { code: 'throttled', reason, retryAfterSeconds },
          }
        }
      }
    },
  }
}
