import { z } from 'zod'
import { fieldIssues, ValidationError } from '../http/index.ts'

const text = (maxLength: number) =>
  z
    .string({ error: ({ input }) => (input === undefined ? 'is required' : 'must be text') })
    .min(1, 'is required')
    .max(maxLength, `is longer than ${maxLength} characters`)

/** Arguments of a type; PHP writes an empty object as `[]`. */
const argumentsSchema = z.looseObject({
  sharedSecret: z.string().max(8192).nullish(),
  grantee: z.string().max(1024).nullish(),
  shareWith: z.string().max(1024).nullish(),
  shareType: z.string().max(64).nullish().catch(undefined),
})

/** OCM, "Share Acceptance Notification"; the stub says `type`. */
export const noticeSchema = z.looseObject({
  notificationType: text(64).meta({
    description:
      '`SHARE_ACCEPTED`, `SHARE_DECLINED`, `SHARE_UNSHARED`, `REQUEST_RESHARE` or `RESHARE_UNDO`; others are answered with 501. `type` is read too',
  }),
  providerId: z.union([z.int().transform(String), text(255)], {
    error: ({ input }) => (input === undefined ? 'is required' : 'must be a short text'),
  }),
  notification: z.union([argumentsSchema, z.array(z.unknown())]).nullish(),
})

/** What `REQUEST_RESHARE` is answered with; everything else with an empty object. */
const reshareGrantSchema = z.strictObject({
  token: z.string().meta({ description: 'Undoes what was passed on, and opens nothing' }),
  providerId: z.string().meta({ description: 'Id of the share that was made' }),
})

export const noticeAnswerSchema = z.union([reshareGrantSchema, z.strictObject({})])

export type NoticeAnswer = z.output<typeof noticeAnswerSchema>

/** What a peer tells us about a share. */
export interface Notice {
  readonly type: string
  readonly providerId: string
  /** The share's, or an access token of it. */
  readonly secret: string | null
  /** Of several recipients of one share, the only one that is meant. */
  readonly grantee: string | null
  readonly shareWith: string
  readonly shareType: string
}

/** @throws ValidationError naming the members that are missing or malformed. */
export function readNotice(document: unknown): Notice {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    throw new ValidationError('The body must be a JSON object', [])
  }
  const { type, ...members } = document as Record<string, unknown>
  const notificationType = members['notificationType'] ?? type
  const parsed = noticeSchema.safeParse({ ...members, notificationType })
  if (!parsed.success) {
    const issues = fieldIssues(parsed.error.issues)
    const names = [...new Set(issues.map(({ name }) => name))].join(', ')
    throw new ValidationError(`Missing or malformed: ${names}`, issues)
  }
  const { providerId, notification } = parsed.data
  const given = Array.isArray(notification) || !notification ? {} : notification
  return {
    type: parsed.data.notificationType,
    providerId,
    secret: given.sharedSecret ?? null,
    grantee: given.grantee ?? null,
    shareWith: given.shareWith ?? '',
    shareType: given.shareType ?? 'user',
  }
}
