import { checkConditions } from '../conditions/evaluate.ts'
import { badRequest, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { liveProperties } from '../properties/live.ts'
import { keyOf, dav, type PropertyName } from '../properties/names.ts'
import { davChildren, namesIn } from '../properties/propfind-body.ts'
import {
  emptyElement,
  multistatusEnd,
  multistatusStart,
  renderPropstat,
} from '../properties/render.ts'
import { hrefOf } from '../properties/subject.ts'
import { readXmlBody } from '../xml/body.ts'
import type { XmlElement } from '../xml/reader.ts'
import { xmlType } from '../xml/writer.ts'

/** RFC 4918 §9.2 */
export const proppatch: DavMethod = { needs: ['write'], body: 'xml', run: runProppatch }

async function runProppatch(exchange: Exchange): Promise<void> {
  const { res, tree, place } = exchange
  const entry = await tree.stat(place.path)
  if (!entry) throw notFound()
  await checkConditions(exchange, entry)
  const names = parseUpdate(await readXmlBody(exchange))
  const response = `<D:response><D:href>${hrefOf(exchange, entry)}</D:href>${refuse(names)}</D:response>\n`
  const body = Buffer.from(multistatusStart + response + multistatusEnd)
  res.writeHead(207, { 'Content-Type': xmlType, 'Content-Length': body.length })
  res.end(body)
}

/** The names a `propertyupdate` (RFC 4918 §14.19) sets or removes. */
function parseUpdate(root: XmlElement | undefined): PropertyName[] {
  if (root?.namespace !== dav || root.name !== 'propertyupdate') {
    throw badRequest('The request body is not a PROPPATCH request.')
  }
  const names = davChildren(root, ['set', 'remove'])
    .flatMap((instruction) => davChildren(instruction, ['prop']))
    .flatMap(namesIn)
  if (names.length === 0) throw badRequest('The request body changes nothing.')
  return names
}

const protectedError = '<D:error><D:cannot-modify-protected-property/></D:error>'

/** RFC 4918 §9.2.1: what would have been fine fails because something else did. */
function refuse(names: readonly PropertyName[]): string {
  const isProtected = (name: PropertyName): boolean => liveProperties.has(keyOf(name))
  const render = (some: readonly PropertyName[]): string => some.map(emptyElement).join('')
  const locked = names.filter(isProtected)
  const others = names.filter((name) => !isProtected(name))
  if (locked.length === 0) return renderPropstat(render(others), '403 Forbidden')
  return (
    renderPropstat(render(locked), '403 Forbidden', protectedError) +
    (others.length === 0 ? '' : renderPropstat(render(others), '424 Failed Dependency'))
  )
}
