import type { IncomingMessage, ServerResponse } from 'node:http'
import { andThen, type Awaitable } from '../../core/index.ts'
import { badRequest, notAllowed, notFound } from '../errors.ts'
import type { DavMethod, Exchange, Settings } from '../exchange.ts'
import { readFields, requireNoContent } from './fields.ts'
import { identify, requirePermissions } from './identify.ts'
import { neededBy, permittedAt } from './permitted.ts'
import { findPlace, permissionsOf } from './place.ts'
import { parseRequestTarget } from './target.ts'

export interface Methods {
  readonly byName: ReadonlyMap<string, DavMethod>
  /** The value of `Allow`. */
  readonly allow: string
}

export interface Admitted {
  readonly method: DavMethod
  readonly exchange: Exchange
}

/** A request for the server as a whole: `OPTIONS *`. */
export interface Greeted {
  readonly method: undefined
  readonly exchange?: undefined
}

/**
 * Decides everything that can be decided without the resource: path, credential, place, method,
 * permission, fields, in this order. No method sees a request that did not pass.
 */
export function admit(
  req: IncomingMessage,
  res: ServerResponse,
  settings: Settings,
  methods: Methods,
): Awaitable<Admitted | Greeted> {
  const target = parseRequestTarget(req.url ?? '')
  return andThen(identify(req, settings), (principal) => {
    settings.onIdentified(req, principal)
    if (target === '*') return greet(req)
    const place = findPlace(target, principal, settings.isShareId)
    const method = methods.byName.get(req.method ?? '')
    if (!method) throw notAllowed(methods.allow)
    const granted = permissionsOf(principal)
    requirePermissions(granted, neededBy(method), settings.realm)
    const fields = readFields(req, method, principal, settings)
    return andThen(settings.openTree(principal), (tree) => {
      if (!tree) throw notFound()
      return andThen(permittedAt(tree, place, method, fields, granted), (permissions) => {
        const exchange = { req, res, settings, principal, permissions, place, tree, fields }
        return andThen(requireNoContent(req, method, settings), () => ({ method, exchange }))
      })
    })
  })
}

/** RFC 9110 §9.3.7: only OPTIONS speaks to the server as a whole. */
function greet(req: IncomingMessage): Greeted {
  if (req.method !== 'OPTIONS') throw badRequest('The path of the request is not acceptable.')
  return { method: undefined }
}
