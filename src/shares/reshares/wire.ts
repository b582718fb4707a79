import { z } from 'zod'
import { isDeceptive } from '../../core/index.ts'

/** What the owner of a share is asked. */
export interface ReshareRequest {
  /** The owner's id of the share that is passed on. */
  readonly providerId: string
  readonly resourceType: 'file' | 'folder'
  /** OCM address. */
  readonly recipient: string
  /** What we call it. */
  readonly reshareId: string
  /** Of the share that is passed on, for peers that know us by it. */
  readonly secret: string | undefined
}

/** As Nextcloud asks; OCM-API leaves the arguments of REQUEST_RESHARE open. */
export const writeReshareRequest = (asked: ReshareRequest): Record<string, unknown> => ({
  notificationType: 'REQUEST_RESHARE',
  resourceType: asked.resourceType,
  providerId: asked.providerId,
  notification: {
    ...(asked.secret !== undefined && { sharedSecret: asked.secret }),
    shareWith: asked.recipient,
    senderId: asked.reshareId,
    shareType: 'user',
    message: 'Ask owner to reshare the file',
  },
})

/** What an owner grants. */
export interface ReshareGrant {
  /** The owner's id of the new share. */
  readonly providerId: string
  /** What it is undone with, from peers that give such a thing. */
  readonly token: string | null
}

const grantSchema = z.looseObject({
  // An id is shown to people and written to logs.
  providerId: z.union([
    z.int().transform(String),
    z
      .string()
      .min(1)
      .max(255)
      .refine((text) => !isDeceptive(text)),
  ]),
  token: z.string().min(1).max(8192).nullish(),
})

/** Undefined from servers that take any notification and make nothing of it. */
export function readReshareGrant(body: unknown): ReshareGrant | undefined {
  const parsed = grantSchema.safeParse(body)
  if (!parsed.success) return undefined
  const { providerId, token } = parsed.data
  return { providerId, token: token ?? null }
}
