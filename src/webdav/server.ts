import type { IncomingMessage, ServerResponse } from 'node:http'
import { v2 } from 'webdav-server'

export type RequestHandler = (req: IncomingMessage, res: ServerResponse) => void

/**
 * webdav-server's own server object, so that what is written for it finds what it expects, with the
 * engine taken out: every request goes to our dispatcher, and the stock methods are not registered.
 */
export class WebdavServer extends v2.WebDAVServer {
  override executeRequest: RequestHandler

  constructor(handle: RequestHandler) {
    super()
    this.methods = {}
    this.executeRequest = handle
  }

  /** The stock `start` would bind the stock engine, whatever `executeRequest` is. */
  override start(): never {
    throw new Error('Give executeRequest to a node:http server instead of calling start.')
  }
}
