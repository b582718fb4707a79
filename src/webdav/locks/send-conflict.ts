import type { Exchange } from '../exchange.ts'
import { encodePath } from '../gate/target.ts'
import type { Lock } from '../resources.ts'
import { sendMultistatus } from '../properties/send-members.ts'
import { escapeXml } from '../../xml/index.ts'
import { hrefsOf } from './enforce.ts'

const response = (href: string, status: string, error = ''): string =>
  `<D:response><D:href>${href}</D:href><D:status>HTTP/1.1 ${status}</D:status>${error}` +
  '</D:response>\n'

/** RFC 4918 §9.10.3, §9.10.9: a member is locked, so the collection cannot be. */
export function sendConflict(exchange: Exchange, locks: readonly Lock[]): void {
  const { base, path } = exchange.place
  const error = '<D:error><D:no-conflicting-lock/></D:error>'
  const own = escapeXml(`${base}/${path.length === 0 ? '' : `${encodePath(path)}/`}`)
  const members = hrefsOf(exchange, locks).map((href) => response(href, '423 Locked', error))
  const responses = members.join('') + response(own, '424 Failed Dependency')
  sendMultistatus(exchange.res, responses)
}
