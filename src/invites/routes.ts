import type { RequestHandler } from 'express'
import { readMessage } from '../http/index.ts'
import type { Invites } from './invites.ts'

/** `POST /ocm/invite-accepted`: wire to service to wire; the rules are in `receive`. */
export const serveInviteAccepted =
  (receive: Invites['receive'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const message = await readMessage(request, publicUrl, maxBytes)
    const { status, body } = await receive(message, request.headers['content-type'])
    response.status(status).set('Cache-Control', 'no-store').json(body)
  }
