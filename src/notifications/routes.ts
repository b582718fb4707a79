import type { RequestHandler } from 'express'
import { readMessage } from '../http/index.ts'
import type { Notifications } from './index.ts'

/** `POST /ocm/notifications`: wire to service to wire; the rules are in `receive`. */
export const serveNotifications =
  (receive: Notifications['receive'], publicUrl: string, maxBytes: number): RequestHandler =>
  async (request, response) => {
    const message = await readMessage(request, publicUrl, maxBytes)
    response.status(201).json(await receive(message, request.headers['content-type']))
  }
