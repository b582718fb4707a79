import { IncomingMessage, ServerResponse } from 'node:http'
import type { Express } from 'express'

/** Message classes of one server, which an Express application can make its own. */
export interface MessageClasses {
  readonly IncomingMessage: typeof IncomingMessage
  readonly ServerResponse: typeof ServerResponse
  /**
   * Puts Express's request and response methods under these classes. Express calls
   * `Object.setPrototypeOf` on every request and response, which costs two thirds of the throughput
   * unless the prototype is already the right one; so we make it the right one.
   * Only one application per server; below it use routers, not mounted applications.
   */
  adopt(app: Express): void
}

export function createMessageClasses(): MessageClasses {
  class OurRequest extends IncomingMessage {}
  class OurResponse<Request extends IncomingMessage> extends ServerResponse<Request> {}
  return {
    IncomingMessage: OurRequest,
    ServerResponse: OurResponse,
    adopt(app) {
      Object.setPrototypeOf(OurRequest.prototype, app.request)
      Object.setPrototypeOf(OurResponse.prototype, app.response)
      app.request = OurRequest.prototype as Express['request']
      app.response = OurResponse.prototype as Express['response']
    },
  }
}
