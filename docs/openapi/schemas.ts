import { z } from 'zod'
import { discoverySchema, jwkSetSchema } from '../../src/discovery/index.ts'
import { oauthErrorSchema, ocmErrorSchema } from '../../src/http/index.ts'
import { troubles } from '../../src/health.ts'
import { inviteAcceptanceSchema, inviteIdentitySchema } from '../../src/invites/index.ts'
import { noticeAnswerSchema, noticeSchema } from '../../src/notifications/index.ts'
import { offerSchema, receiptSchema } from '../../src/shares/index.ts'
import { tokenRequestSchema, tokenResponseSchema } from '../../src/tokens/index.ts'

/** What is read: the schemas that validate it. */
const requests = {
  TokenRequest: tokenRequestSchema,
  ShareOffer: offerSchema,
  Notification: noticeSchema,
  InviteAcceptance: inviteAcceptanceSchema,
}

/** What is answered: the schemas that the handlers' types come from. */
const answers = {
  Discovery: discoverySchema,
  JwkSet: jwkSetSchema,
  TokenResponse: tokenResponseSchema,
  ShareReceipt: receiptSchema,
  NotificationAnswer: noticeAnswerSchema,
  InviteIdentity: inviteIdentitySchema,
  Alive: z.strictObject({ status: z.literal('ok') }),
  Ready: z.strictObject({ status: z.literal('ready') }),
  NotReady: z.strictObject({ status: z.enum(troubles) }),
  OcmError: ocmErrorSchema,
  OAuthError: oauthErrorSchema,
}

export type SchemaName = keyof typeof requests | keyof typeof answers
type Json = Record<string, unknown>

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    // Ours is a type's `readonly`; OpenAPI means something else by it.
    override: ({ jsonSchema: own }) => {
      delete own.readOnly
    },
  })
  return rest
}

/** All of them by name, as `components` has them. */
export const schemas: Readonly<Record<string, Json>> = {
  ...Object.fromEntries(
    Object.entries(requests).map(([name, schema]) => [name, jsonSchema(schema, 'input')]),
  ),
  ...Object.fromEntries(
    Object.entries(answers).map(([name, schema]) => [name, jsonSchema(schema, 'output')]),
  ),
}
