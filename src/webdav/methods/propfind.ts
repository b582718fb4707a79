import { andThen, type Awaitable } from '../../core/index.ts'
import type { Space } from '../../files/index.ts'
import { checkConditions } from '../conditions/evaluate.ts'
import { DavError, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { placeOf } from '../locks/place.ts'
import { createDescriptions, type RenderOne } from '../properties/descriptions.ts'
import { createListings, type RenderView } from '../properties/listings.ts'
import { asksForSpace } from '../properties/live.ts'
import { createPlanner, type KeyedPlan } from '../properties/plans.ts'
import { renderResponse, type PropertyPlan } from '../properties/render.ts'
import { sendBody, sendMembers, sendMultistatus } from '../properties/send-members.ts'
import { asksForDead, loadStored } from '../properties/stored.ts'
import { subjectOf } from '../properties/subject.ts'
import { readXmlBytes } from '../xml/body.ts'

/** RFC 4918 §9.1 */
export function createPropfind(): DavMethod {
  const findPlan = createPlanner()
  const renderOne = createDescriptions()
  const renderView = createListings()
  return {
    needs: ['read'],
    body: 'xml',
    depth: true,
    run: (exchange) =>
      andThen(readXmlBytes(exchange), (body) => {
        const asked = findPlan(body)
        return exchange.fields.depth === '0'
          ? describe(exchange, asked, renderOne)
          : list(exchange, asked, renderView)
      }),
  }
}

/** `Depth: 0` */
function describe(exchange: Exchange, asked: KeyedPlan, renderOne: RenderOne): Awaitable<void> {
  const { res, tree, place } = exchange
  const { plan } = asked
  return andThen(tree.stat(place.path), (entry) => {
    if (!entry) throw notFound()
    return andThen(checkConditions(exchange, entry), () =>
      andThen(findSpace(exchange, plan), (space) =>
        andThen(loadStored(exchange, plan, place.path, false), (stored) => {
          const subject = subjectOf(exchange, entry, space)
          if (!stored && !space) sendBody(res, renderOne(asked, subject))
          else sendMultistatus(res, renderResponse(plan, { ...subject, ...stored?.at(place.path) }))
        }),
      ),
    )
  })
}

/** `Depth: 1` or `infinity`, of a file as well. */
async function list(exchange: Exchange, asked: KeyedPlan, renderView: RenderView): Promise<void> {
  const { res, tree, place, fields, settings } = exchange
  const { plan } = asked
  const hint = { properties: asksForDead(plan) }
  const view = fields.depth === '1' ? await tree.view?.(place.path, hint) : undefined
  const entry = view?.entry ?? (await tree.stat(place.path))
  if (!entry) throw notFound()
  // RFC 4918 §9.1: absent means infinity.
  const isDeep = fields.depth !== '1'
  if (isDeep && !settings.infiniteDepth) {
    throw new DavError(403, 'A PROPFIND needs a Depth of 0 or 1.', {
      element: 'D:propfind-finite-depth',
    })
  }
  await checkConditions(exchange, entry)
  const space = await findSpace(exchange, plan)
  const lists = entry.kind === 'directory'
  const stored = await loadStored(exchange, plan, place.path, lists)
  const subject = { ...subjectOf(exchange, entry, space), ...stored?.at(place.path) }
  if (!lists) sendMultistatus(res, renderResponse(plan, subject))
  else if (view && !stored && !space)
    sendBody(res, renderView(view, asked, subject, placeOf(exchange, place.path)))
  else await sendMembers(exchange, plan, { path: place.path, subject, stored }, isDeep, view)
}

const findSpace = ({ tree, place }: Exchange, plan: PropertyPlan): Awaitable<Space | undefined> =>
  asksForSpace(plan.live) && !plan.namesOnly ? tree.space(place.path) : undefined
