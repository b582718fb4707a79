import { isUtf8 } from 'node:buffer'
import { parseAuthority, randomText } from '../core/index.ts'
import { InviteError } from './errors.ts'

/** What an invite string says: with this token to that server. */
export interface InviteText {
  readonly token: string
  /** Normalised `host[:port]` of who invites. */
  readonly host: string
}

const maxLength = 4096

/**
 * A token for an invite of `authority`. Peers decode with standard base64 or base64url, with or
 * without padding; a token of this length and these letters is the same text in all of them.
 */
export function newInviteToken(authority: string): string {
  const shortest = 43
  const beyond = (shortest + 1 + authority.length) % 3
  return randomText(shortest + (beyond === 0 ? 0 : 3 - beyond))
}

/** OCM, "Invite flow": base64url of `token@host`. */
export const writeInviteText = ({ token, host }: InviteText): string =>
  Buffer.from(`${token}@${host}`).toString('base64url')

/**
 * Reads an invite as people pass them on: the string in any base64, `token@host` itself, or a link
 * of a "where are you from" page or of an accept page.
 *
 * @throws InviteError `bad_invite`.
 */
export function parseInviteText(text: string): InviteText {
  const given = text.trim()
  const found =
    given.length > maxLength
      ? undefined
      : /^https?:\/\//i.test(given)
        ? fromLink(given)
        : split(fromBase64(given) ?? given)
  if (found !== undefined) return found
  const message = 'That is no invite: neither an invite string, nor token@host, nor an invite link.'
  throw new InviteError('bad_invite', message)
}

function fromBase64(text: string): string | undefined {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) return undefined
  const bytes = Buffer.from(text, 'base64url')
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

/** At the last `@`: tokens may have some. */
function split(text: string): InviteText | undefined {
  const at = text.lastIndexOf('@')
  return at < 1 ? undefined : judge(text.slice(0, at), text.slice(at + 1))
}

function fromLink(link: string): InviteText | undefined {
  if (!URL.canParse(link)) return undefined
  const { searchParams, host } = new URL(link)
  return judge(searchParams.get('token') ?? '', searchParams.get('providerDomain') ?? host)
}

function judge(token: string, provider: string): InviteText | undefined {
  const host = parseAuthority(provider)
  const clean = token !== '' && !/[\u0000-\u0020\u007f]/.test(token)
  return clean && host !== undefined ? { token, host } : undefined
}
