import type { PeerAnswer } from '../../peers/index.ts'
import { judgeAnswer } from '../../peers/index.ts'
import { tokenErrorSchema, tokenResponseSchema } from './wire.ts'

/** What a token endpoint's answer comes down to. */
export type TokenAnswer =
  | { readonly status: 'token'; readonly accessToken: string; readonly expiresInSeconds: number }
  /** Our refresh token is none any more. */
  | { readonly status: 'revoked' }
  /** A final no, for another reason. */
  | { readonly status: 'refused'; readonly reason: string }
  | { readonly status: 'later'; readonly retryAfterSeconds: number | undefined }
  /** A success that is none. */
  | { readonly status: 'garbled' }

/** Reads an answer; `reason` is never the peer's own text. */
export function readTokenAnswer(answer: PeerAnswer): TokenAnswer {
  const { status, body, mediaType, retryAfterSeconds } = answer
  switch (judgeAnswer(status)) {
    case 'delivered':
      return readToken(mediaType, body)
    case 'later':
      return { status: 'later', retryAfterSeconds }
    case 'refused': {
      if (status >= 500 && status !== 501) return { status: 'later', retryAfterSeconds }
      const { data } = tokenErrorSchema.safeParse(body)
      // RFC 6749 §5.2 wants 400; Nextcloud says 401.
      if (data?.error === 'invalid_grant' && (status === 400 || status === 401)) {
        return { status: 'revoked' }
      }
      return { status: 'refused', reason: `token endpoint: ${status}` }
    }
  }
}

function readToken(mediaType: string | undefined, body: unknown): TokenAnswer {
  const parsed = tokenResponseSchema.safeParse(body)
  if (!parsed.success || !/^application\/(.+\+)?json$/.test(mediaType ?? '')) {
    return { status: 'garbled' }
  }
  const { access_token: accessToken, expires_in: expiresInSeconds } = parsed.data
  return { status: 'token', accessToken, expiresInSeconds }
}
