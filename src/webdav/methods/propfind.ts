import { checkConditions } from '../conditions/evaluate.ts'
import { DavError, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { createListings, type RenderView } from '../properties/listings.ts'
import { asksForSpace } from '../properties/live.ts'
import { createPlanner, type KeyedPlan } from '../properties/plans.ts'
import { renderResponse } from '../properties/render.ts'
import { sendBody, sendMembers, sendMultistatus } from '../properties/send-members.ts'
import { asksForDead, loadStored } from '../properties/stored.ts'
import { subjectOf } from '../properties/subject.ts'
import { readXmlBytes } from '../xml/body.ts'

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
  const { res, tree, place, fields, settings } = exchange
  const asked = findPlan(await readXmlBytes(exchange))
  const { plan } = asked
  const hint = { properties: asksForDead(plan) }
  const view = fields.depth === '1' ? await tree.view?.(place.path, hint) : undefined
  const entry = view?.entry ?? (await tree.stat(place.path))
  if (!entry) throw notFound()
  // RFC 4918 §9.1: absent means infinity.
  const depth = fields.depth ?? 'infinity'
  if (depth === 'infinity' && !settings.infiniteDepth) {
    throw new DavError(403, 'A PROPFIND needs a Depth of 0 or 1.', {
      element: 'D:propfind-finite-depth',
    })
  }
  await checkConditions(exchange, entry)
  const space =
    asksForSpace(plan.live) && !plan.namesOnly ? await tree.space(place.path) : undefined
  const lists = depth !== '0' && entry.kind === 'directory'
  const stored = await loadStored(exchange, plan, place.path, lists)
  const subject = { ...subjectOf(exchange, entry, space), ...stored?.at(place.path) }
  if (!lists) sendMultistatus(res, renderResponse(plan, subject))
  else if (view && !stored && !space) sendBody(res, renderView(view, asked, subject))
  else {
    const listed = { path: place.path, subject, stored }
    await sendMembers(exchange, plan, listed, depth === 'infinity', view)
  }
}
