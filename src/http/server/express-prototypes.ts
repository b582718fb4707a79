import { IncomingMessage, ServerResponse, type OutgoingHttpHeaders } from 'node:http'
import type { Express } from 'express'
import { requestIdOf } from '../request-facts.ts'

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

type Head = [status: number, fieldsOrMessage?: unknown, fields?: unknown]

const isFields = (value: unknown): value is OutgoingHttpHeaders =>
  typeof value === 'object' && !Array.isArray(value)

export function createMessageClasses(): MessageClasses {
  class OurRequest extends IncomingMessage {}
  class OurResponse<Request extends IncomingMessage> extends ServerResponse<Request> {
    /** After `setHeader` node goes the long way with every field, so the id joins the others. */
    override writeHead(...head: unknown[]): this {
      const id = requestIdOf(this.req)
      const [status, fields] = head as Head
      if (id !== undefined && isFields(fields)) {
        return super.writeHead(status, { 'X-Request-Id': id, ...fields })
      }
      if (id !== undefined) this.setHeader('X-Request-Id', id)
      return super.writeHead(...(head as [number]))
    }
  }
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
