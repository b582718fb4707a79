import type { ServerResponse } from 'node:http'
import { endResponse, endTogether } from '../http/index.ts'
import type { DavError } from './errors.ts'
import { escapeXml, xmlDeclaration, xmlType } from '../xml/index.ts'

/** A client that left, in the words of node:stream. */
export const clientGone = (): Error =>
  Object.assign(new Error('the client went away'), { code: 'ERR_STREAM_PREMATURE_CLOSE' })

export function sendEmpty(
  res: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): void {
  // RFC 9110 §8.6: 204 has no Content-Length.
  res.writeHead(status, status === 204 ? headers : { ...headers, 'Content-Length': 0 })
  endTogether(res)
}

/** Answers with a small `DAV:error` (RFC 4918 §14.6) and disposes of an unread request body. */
export function sendError(res: ServerResponse, error: DavError): void {
  if (res.headersSent) {
    // Too late to say so: a cut connection is the only honest answer.
    res.destroy()
    return
  }
  const body = Buffer.from(
    `${xmlDeclaration}<D:error xmlns:D="DAV:">${renderReason(error)}</D:error>\n`,
  )
  for (const [name, value] of Object.entries(error.headers)) res.setHeader(name, value)
  res.setHeader('Content-Type', xmlType)
  res.setHeader('Content-Length', body.length)
  res.statusCode = error.status
  endResponse(res, body)
}

function renderReason({ element, hrefs, message }: DavError): string {
  if (element === undefined) return escapeXml(message)
  const inner = hrefs.map((href) => `<D:href>${href}</D:href>`).join('')
  return inner === '' ? `<${element}/>` : `<${element}>${inner}</${element}>`
}
