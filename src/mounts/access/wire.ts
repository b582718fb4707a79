import { z } from 'zod'

/** A year: what claims to live longer is a mistake. */
const longestSeconds = 366 * 24 * 60 * 60

/**
 * RFC 6749 §5.1. Every peer says `expires_in`, and as a number. The token goes into a header field, so
 * nothing that could end one is in it.
 */
export const tokenResponseSchema = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.int().positive().max(longestSeconds),
})

/** RFC 6749 §5.2. */
export const tokenErrorSchema = z.object({ error: z.string().max(100) })
