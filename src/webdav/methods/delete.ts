import { glance } from '../../files/index.ts'
import { checkConditions } from '../conditions/evaluate.ts'
import { badRequest, forbidden, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { carryOut } from '../locks/carry-out.ts'
import { changing } from '../locks/enforce.ts'
import { sendEmpty } from '../reply.ts'

/** RFC 4918 §9.6 */
export const remove: DavMethod = {
  needs: ['write'],
  departs: true,
  body: 'none',
  depth: true,
  run: runDelete,
}

async function runDelete(exchange: Exchange): Promise<void> {
  const { res, tree, place, fields } = exchange
  if (place.path.length === 0) throw forbidden('The root of a tree cannot be removed.')
  const entry = await glance(tree, place.path)
  if (!entry) throw notFound()
  // RFC 4918 §9.6.1
  if (entry.kind === 'directory' && (fields.depth ?? 'infinity') !== 'infinity') {
    throw badRequest('A collection is removed with everything in it.')
  }
  await checkConditions(exchange, entry)
  const { path } = place
  await changing(exchange, [{ path, tree: true, membership: true }], () =>
    carryOut(exchange, { kind: 'remove', path }, () => tree.remove(path)),
  )
  sendEmpty(res, 204)
}
