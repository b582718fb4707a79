import { z } from 'zod'

/** OCM's dialect of a failure. */
export const ocmErrorSchema = z.strictObject({
  message: z.string().meta({ description: 'For people' }),
  validationErrors: z
    .array(z.strictObject({ name: z.string(), message: z.string() }).readonly())
    .readonly()
    .optional()
    .meta({ description: 'Members that are wrong, named as on the wire' }),
})

/** RFC 6749 §5.2; `temporarily_unavailable` and `server_error` are of its §4.1.2.1. */
const oauthErrors = [
  'invalid_request',
  'invalid_client',
  'invalid_grant',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_scope',
  'temporarily_unavailable',
  'server_error',
] as const

/** The token endpoint's dialect of a failure. */
export const oauthErrorSchema = z.strictObject({
  error: z.enum(oauthErrors),
  error_description: z.string().meta({ description: 'For people' }),
})

export type OcmError = z.output<typeof ocmErrorSchema>
export type OAuthError = z.output<typeof oauthErrorSchema>
