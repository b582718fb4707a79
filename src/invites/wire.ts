import { z } from 'zod'
import { parseAuthority, withoutDeception } from '../core/index.ts'
import { fieldIssues, mediaType, parseForm, parseJson, ValidationError } from '../http/index.ts'
import { InviteError } from './errors.ts'

/** Somebody on another server, as that server says (OCM, "Invite Acceptance"). */
export const inviteIdentitySchema = z
  .strictObject({
    userID: z.string().meta({ description: 'What stands before the `@` of the OCM address' }),
    email: z.string(),
    name: z.string(),
  })
  .readonly()

export type InviteIdentity = z.output<typeof inviteIdentitySchema>

/** The body of `POST /ocm/invite-accepted`, read. */
export interface InviteAcceptance extends InviteIdentity {
  readonly recipientProvider: string
  readonly token: string
}

const needed = z.string().min(1).max(1024)
/** Required by OCM, and left out by some. */
const optional = z.string().max(1024).nullish().catch(undefined)

export const inviteAcceptanceSchema = z.looseObject({
  recipientProvider: needed.meta({ description: 'Host of whoever accepts: who signs' }),
  token: needed.meta({ description: 'From the invite string' }),
  userID: needed.meta({ description: 'Whoever accepts, on that host' }),
  email: optional,
  name: optional,
})

const identitySchema = z.looseObject({ userID: needed, email: optional, name: optional })

type Wire = Pick<z.output<typeof identitySchema>, 'userID' | 'email' | 'name'>

const shown = (text: string | null | undefined): string =>
  withoutDeception(text ?? '')
    .trim()
    .slice(0, 255)

const identityOf = ({ userID, email, name }: Wire): InviteIdentity => ({
  userID,
  email: shown(email),
  name: shown(name) || shown(userID),
})

/**
 * Reads the body in every form peers send: JSON, a form, or old reva's `{invite: {userId, …}}`.
 *
 * @throws InviteError, HttpError, ValidationError.
 */
export function readAcceptance(
  body: Uint8Array,
  contentType: string | undefined,
): InviteAcceptance {
  const parsed = inviteAcceptanceSchema.safeParse(unwrap(parse(body, contentType)))
  if (!parsed.success) {
    throw new ValidationError('The request is not an acceptance.', fieldIssues(parsed.error.issues))
  }
  const { recipientProvider, token } = parsed.data
  return { recipientProvider, token, ...identityOf(parsed.data) }
}

function parse(body: Uint8Array, contentType: string | undefined): unknown {
  switch (mediaType(contentType)) {
    case 'application/json':
      return parseJson(body)
    case 'application/x-www-form-urlencoded':
      return Object.fromEntries(parseForm(body))
    default:
      throw new InviteError('foreign_media_type', 'The body must be application/json.')
  }
}

function unwrap(value: unknown): unknown {
  const invite = memberOf(value, 'invite')
  return memberOf(invite, 'userId') === undefined
    ? (invite ?? value)
    : { userID: memberOf(invite, 'userId'), ...(invite as object) }
}

const memberOf = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined

/** Who invited us, in the answer; `undefined` if it does not say. */
export function readIdentity(body: unknown): InviteIdentity | undefined {
  const parsed = identitySchema.safeParse(body)
  return parsed.success ? identityOf(parsed.data) : undefined
}

/** A user id as peers write it may carry its own host once more, or twice; others are opaque. */
export function normaliseRemoteUserId(userId: string, host: string): string {
  const at = userId.lastIndexOf('@')
  if (at < 1) return userId
  const behind = userId.slice(at + 1).replace(/^https?:\/\//i, '')
  return parseAuthority(behind.replace(/\/+$/, '')) === host
    ? normaliseRemoteUserId(userId.slice(0, at), host)
    : userId
}
