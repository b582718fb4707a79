import type { Awaitable } from '../../core/index.ts'
import { hasBody } from '../../http/index.ts'
import { unsupportedMedia } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import { readSmallBody } from '../small-body.ts'
import { isUtf8, parseXml, type XmlElement } from './reader.ts'

/** The request body as XML, or `undefined` when there is none. */
export async function readXmlBody(exchange: Exchange): Promise<XmlElement | undefined> {
  const body = await readXmlBytes(exchange)
  return body && parseXml(body)
}

/** The same before it is parsed. */
export const readXmlBytes = (exchange: Exchange): Awaitable<Buffer | undefined> =>
  hasBody(exchange.req) ? readBytes(exchange) : undefined

async function readBytes({ req, settings }: Exchange): Promise<Buffer | undefined> {
  checkMediaType(req.headers['content-type'])
  const body = await readSmallBody(req, settings.maxXmlBytes, settings)
  return body.length === 0 ? undefined : body
}

/** RFC 4918 §8.2: application/xml or text/xml; a client that says nothing is believed. */
function checkMediaType(field: string | undefined): void {
  if (field === undefined) return
  const [type = '', ...parameters] = field.split(';')
  if (!/^(application|text)\/xml$/i.test(type.trim())) {
    throw unsupportedMedia('The request body has to be application/xml.')
  }
  for (const parameter of parameters) {
    const [, charset] = /^\s*charset\s*=\s*"?([^"\s]*)"?\s*$/i.exec(parameter) ?? []
    if (charset !== undefined && !isUtf8(charset)) throw unsupportedMedia('Only UTF-8 is accepted.')
  }
}
