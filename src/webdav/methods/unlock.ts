import { checkConditions } from '../conditions/evaluate.ts'
import { badRequest, DavError, forbidden, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { covers, holderOf, placeOf } from '../locks/place.ts'
import { sendEmpty } from '../reply.ts'

/** RFC 4918 §9.11 */
export const unlock: DavMethod = { needs: ['write'], body: 'none', run: runUnlock }

async function runUnlock(exchange: Exchange): Promise<void> {
  const { res, tree, place, principal, settings } = exchange
  const token = parseLockToken(exchange.req.headersDistinct['lock-token'])
  const entry = await tree.stat(place.path)
  await checkConditions(exchange, entry)
  const at = placeOf(exchange, place.path)
  const locks = await settings.resources.findLocks(at, 'above')
  const held = locks.find((one) => one.token === token && covers(one, at.path))
  if (!held) {
    if (!entry) throw notFound()
    throw new DavError(409, 'The resource has no such lock.', {
      element: 'D:lock-token-matches-request-uri',
    })
  }
  // RFC 4918 §6.4
  if (held.holder !== holderOf(principal).key) throw forbidden('The lock is not yours.')
  await settings.resources.removeLock(held)
  sendEmpty(res, 204)
}

/** RFC 4918 §10.5: one token in angle brackets. */
function parseLockToken(fields: readonly string[] | undefined): string {
  const [field = '', ...others] = fields ?? []
  const [, token] = /^\s*<([^<>\s]+)>\s*$/.exec(field) ?? []
  if (token === undefined || others.length > 0) {
    throw badRequest('UNLOCK needs a Lock-Token with one token in angle brackets.')
  }
  return token
}
