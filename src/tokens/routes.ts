import type { RequestHandler } from 'express'
import { noteRequest, readBody } from '../http/index.ts'
import type { Tokens } from './tokens.ts'
import type { TokenResponse } from './wire.ts'

/** `POST /ocm/token`: wire to service to wire; the rules are in `exchange` (RFC 6749 §3.2, §5.1). */
export const serveTokenEndpoint =
  (exchange: Tokens['exchange'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const body = await readBody(request, { maxBytes })
    const issued = await exchange({
      method: request.method,
      // RFC 9421 §2.2.2 over our own origin: behind a proxy, Host says nothing we can trust.
      targetUri: publicUrl + request.originalUrl,
      rawHeaders: request.rawHeaders,
      body,
      contentType: request.headers['content-type'],
    })
    noteRequest(request, { jti: issued.jti, shareId: issued.shareId, peer: issued.peer })
    const answer: TokenResponse = {
      access_token: issued.accessToken,
      token_type: 'Bearer',
      expires_in: issued.expiresInSeconds,
    }
    response.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' }).json(answer)
  }
