import type { RequestHandler } from 'express'
import { noteRequest, readMessage } from '../http/index.ts'
import type { Tokens } from './tokens.ts'
import type { TokenResponse } from './wire.ts'

/** `POST /ocm/token`: wire to service to wire; the rules are in `exchange` (RFC 6749 §3.2, §5.1). */
export const serveTokenEndpoint =
  (exchange: Tokens['exchange'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const message = await readMessage(request, publicUrl, maxBytes)
    const issued = await exchange({ ...message, contentType: request.headers['content-type'] })
    noteRequest(request, { jti: issued.jti, shareId: issued.shareId, peer: issued.peer })
    const answer: TokenResponse = {
      access_token: issued.accessToken,
      token_type: 'Bearer',
      expires_in: issued.expiresInSeconds,
    }
    response.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' }).json(answer)
  }
