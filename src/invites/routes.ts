import type { RequestHandler } from 'express'
import { readBody } from '../http/index.ts'
import type { Invites } from './invites.ts'

/** `POST /ocm/invite-accepted`: wire to service to wire; the rules are in `receive`. */
export const serveInviteAccepted =
  (receive: Invites['receive'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const body = await readBody(request, { maxBytes })
    const { status, body: identity } = await receive(
      {
        method: request.method,
        // RFC 9421 §2.2.2 over our own origin: behind a proxy, Host says nothing we can trust.
        targetUri: publicUrl + request.originalUrl,
        rawHeaders: request.rawHeaders,
        body,
      },
      request.headers['content-type'],
    )
    response.status(status).set('Cache-Control', 'no-store').json(identity)
  }
