import { STATUS_CODES } from 'node:http'
import { checkConditions } from '../conditions/evaluate.ts'
import { notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { changing } from '../locks/enforce.ts'
import { placeOf } from '../locks/place.ts'
import { liveProperties } from '../properties/live.ts'
import { keyOf } from '../properties/names.ts'
import { emptyElement, renderPropstat } from '../properties/render.ts'
import { sendMultistatus } from '../properties/send-members.ts'
import { hrefOf } from '../properties/subject.ts'
import { parseUpdate } from '../properties/update-body.ts'
import type { PropertyStep } from '../resources.ts'
import { readXmlBody } from '../xml/body.ts'

/** RFC 4918 §9.2 */
export const proppatch: DavMethod = { needs: ['write'], body: 'xml', run: runProppatch }

const maxValueBytes = 64 * 1024

async function runProppatch(exchange: Exchange): Promise<void> {
  const { res, tree, place } = exchange
  const entry = await tree.stat(place.path)
  if (!entry) throw notFound()
  await checkConditions(exchange, entry)
  const steps = parseUpdate(await readXmlBody(exchange))
  const outcome = await changing(exchange, [{ path: place.path }], () => update(exchange, steps))
  const response = `<D:response><D:href>${hrefOf(exchange, entry)}</D:href>${outcome}</D:response>\n`
  sendMultistatus(res, response)
}

/** Everything or nothing, and what to say of each property. */
async function update(exchange: Exchange, steps: readonly PropertyStep[]): Promise<string> {
  const guarded = steps.filter((step) => liveProperties.has(keyOf(step)))
  if (guarded.length > 0) return refuse(steps, guarded, '403 Forbidden', protectedError)
  const large = steps.filter(({ value = '' }) => Buffer.byteLength(value) > maxValueBytes)
  if (large.length > 0) return refuse(steps, large, tooMuch)
  const own = await exchange.tree.properties?.(exchange.place.path)
  if (own) return renderEach(steps, await own.patch(exchange.place.path, steps))
  const place = placeOf(exchange, exchange.place.path)
  const outcome = await exchange.settings.resources.patchProperties(place, steps)
  if (outcome === 'done') return renderPropstat(names(steps), '200 OK')
  const growing = steps.filter(({ value }) => value !== undefined)
  return refuse(steps, growing, tooMuch)
}

/** What the keeper of the properties says of each. */
function renderEach(steps: readonly PropertyStep[], statuses: readonly number[]): string {
  const byStatus = new Map<number, PropertyStep[]>()
  for (const [index, step] of steps.entries()) {
    const status = statuses[index] ?? 424
    byStatus.set(status, [...(byStatus.get(status) ?? []), step])
  }
  return [...byStatus]
    .map(([status, some]) => renderPropstat(names(some), `${status} ${STATUS_CODES[status] ?? ''}`))
    .join('')
}

const protectedError = '<D:error><D:cannot-modify-protected-property/></D:error>'

/** RFC 4918 §9.2.1 */
const tooMuch = '507 Insufficient Storage'

const names = (steps: readonly PropertyStep[]): string =>
  [...new Map(steps.map((step) => [keyOf(step), step])).values()].map(emptyElement).join('')

/** RFC 4918 §9.2.1: what would have been fine fails because something else did. */
function refuse(
  steps: readonly PropertyStep[],
  faulty: readonly PropertyStep[],
  status: string,
  error = '',
): string {
  const keys = new Set(faulty.map(keyOf))
  const others = steps.filter((step) => !keys.has(keyOf(step)))
  return (
    renderPropstat(names(faulty), status, error) +
    (others.length === 0 ? '' : renderPropstat(names(others), '424 Failed Dependency'))
  )
}
