import { FileError, type Entry } from '../../files/index.ts'
import { checkConditions } from '../conditions/evaluate.ts'
import { notAllowed } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { changing } from '../locks/enforce.ts'
import { placeOf } from '../locks/place.ts'
import { sendEmpty } from '../reply.ts'

/** The value of `Allow`, by what is there already. */
type Allow = Readonly<Record<Entry['kind'], string>>

/** RFC 4918 §9.3 */
export const createMkcol = (allowOn: Allow): DavMethod => ({
  needs: ['write'],
  body: 'none',
  run: (exchange) => runMkcol(exchange, allowOn),
})

async function runMkcol(exchange: Exchange, allowOn: Allow): Promise<void> {
  const { res, tree, place, settings } = exchange
  const entry = await tree.stat(place.path)
  // RFC 4918 §9.3.1
  if (entry || place.path.length === 0) throw notAllowed(allowOn[entry?.kind ?? 'directory'])
  const parent = await tree.stat(place.path.slice(0, -1))
  if (parent?.kind !== 'directory') throw new FileError('parent_missing')
  await checkConditions(exchange, undefined)
  await changing(exchange, [{ path: place.path, membership: true }], async () => {
    await settings.resources.forgetProperties(placeOf(exchange, place.path))
    await tree.mkdir(place.path)
  }).catch((error: unknown) => {
    throw error instanceof FileError && error.code === 'exists' ? notAllowed(allowOn.file) : error
  })
  sendEmpty(res, 201)
}
