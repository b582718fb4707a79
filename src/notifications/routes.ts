import type { RequestHandler } from 'express'
import { readBody } from '../http/index.ts'
import type { Notifications } from './index.ts'

/** `POST /ocm/notifications`: wire to service to wire; the rules are in `receive`. */
export const serveNotifications =
  (receive: Notifications['receive'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const body = await readBody(request, { maxBytes })
    const message = {
      method: request.method,
      // RFC 9421 §2.2.2 over our own origin: behind a proxy, Host says nothing we can trust.
      targetUri: publicUrl + request.originalUrl,
      rawHeaders: request.rawHeaders,
      body,
    }
    response.status(201).json(await receive(message, request.headers['content-type']))
  }
