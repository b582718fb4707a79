import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { checkConditions } from '../conditions/evaluate.ts'
import { DavError, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { createListings, type RenderView } from '../properties/listings.ts'
import { asksForSpace, type Subject } from '../properties/live.ts'
import { createPlanner, type KeyedPlan } from '../properties/plans.ts'
import {
  multistatusEnd,
  multistatusStart,
  renderResponse,
  type PropertyPlan,
} from '../properties/render.ts'
import { loadStored, type Stored } from '../properties/stored.ts'
import { memberOf, subjectOf } from '../properties/subject.ts'
import { readXmlBytes } from '../xml/body.ts'
import { xmlType } from '../xml/writer.ts'

/** RFC 4918 §9.1 */
export function createPropfind(): DavMethod {
  const findPlan = createPlanner()
  const renderView = createListings()
  return {
    needs: ['read'],
    body: 'xml',
    depth: true,
    run: (exchange) => runPropfind(exchange, findPlan, renderView),
  }
}

async function runPropfind(
  exchange: Exchange,
  findPlan: (body: Buffer | undefined) => KeyedPlan,
  renderView: RenderView,
): Promise<void> {
  const { res, tree, place, fields } = exchange
  const view = fields.depth === '1' ? await tree.view?.(place.path) : undefined
  const entry = view?.entry ?? (await tree.stat(place.path))
  if (!entry) throw notFound()
  // RFC 4918 §9.1: absent means infinity.
  if ((fields.depth ?? 'infinity') === 'infinity') {
    throw new DavError(403, 'A PROPFIND needs a Depth of 0 or 1.', {
      element: 'D:propfind-finite-depth',
    })
  }
  await checkConditions(exchange, entry)
  const asked = findPlan(await readXmlBytes(exchange))
  const { plan } = asked
  const space = asksForSpace(plan.live) && !plan.namesOnly ? await tree.space() : undefined
  const lists = fields.depth === '1' && entry.kind === 'directory'
  const stored = await loadStored(exchange, plan, lists)
  const subject = { ...subjectOf(exchange, entry, space), ...stored?.at(place.path) }
  if (!lists) sendBody(res, multistatusStart + renderResponse(plan, subject) + multistatusEnd)
  else if (view && !stored && !space) sendBody(res, renderView(view, asked, subject))
  else await sendMembers(exchange, plan, subject, stored)
}

/** Batch by batch, as fast as the client reads: a long listing is never in memory as a whole. */
async function sendMembers(
  exchange: Exchange,
  plan: PropertyPlan,
  subject: Subject,
  stored: Stored | undefined,
): Promise<void> {
  const { res, tree, place } = exchange
  let text = multistatusStart + renderResponse(plan, subject)
  let isFirst = true
  for await (const batch of tree.list(place.path)) {
    if (!isFirst) {
      if (!res.headersSent) res.writeHead(207, { 'Content-Type': xmlType })
      await writeText(res, text)
      text = ''
    }
    isFirst = false
    for (const entry of batch) {
      const member = memberOf(subject, entry)
      const known = stored?.at([...place.path, entry.name])
      text += renderResponse(plan, known ? { ...member, ...known } : member)
    }
  }
  if (res.headersSent) res.end(text + multistatusEnd)
  else sendBody(res, text + multistatusEnd)
}

function sendBody(res: ServerResponse, body: string | Buffer): void {
  res.writeHead(207, { 'Content-Type': xmlType, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}

async function writeText(res: ServerResponse, text: string): Promise<void> {
  // As a string it would be gone through twice: for its length, then for its bytes.
  if (res.write(Buffer.from(text)) || res.destroyed) return
  const gone = new AbortController()
  const cancel = (): void => gone.abort()
  res.once('close', cancel)
  try {
    await once(res, 'drain', { signal: gone.signal })
  } finally {
    res.off('close', cancel)
  }
}
