import type { Exchange } from '../exchange.ts'
import { encodePath } from '../gate/target.ts'
import type { Lock } from '../resources.ts'
import { renderStatus } from '../properties/render.ts'
import { sendMultistatus } from '../properties/send-members.ts'
import { escapeXml } from '../../xml/index.ts'
import { hrefsOf } from './enforce.ts'

/** RFC 4918 §9.10.3, §9.10.9: a member is locked, so the collection cannot be. */
export function sendConflict(exchange: Exchange, locks: readonly Lock[]): void {
  const { base, path } = exchange.place
  const error = '<D:error><D:no-conflicting-lock/></D:error>'
  const own = escapeXml(`${base}/${path.length === 0 ? '' : `${encodePath(path)}/`}`)
  const members = hrefsOf(exchange, locks).map((href) => renderStatus(href, 423, error))
  const responses = members.join('') + renderStatus(own, 424)
  sendMultistatus(exchange.res, responses)
}
