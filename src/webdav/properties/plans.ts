import { LRUCache } from 'lru-cache'
import { parseBody } from '../xml/body.ts'
import { parsePropfind } from './propfind-body.ts'
import { planProperties, type PropertyPlan } from './render.ts'

/** Longer bodies are rare, and not worth remembering. */
const maxKeyLength = 4096

/** A plan, and what tells it from others; without a key it is not to be remembered. */
export interface KeyedPlan {
  readonly plan: PropertyPlan
  readonly key: string | undefined
}

/** Works out what PROPFIND bodies ask for; each client asks the same few things over and over. */
export function createPlanner(): (body: Buffer | undefined) => KeyedPlan {
  const known = new LRUCache<string, KeyedPlan>({ max: 200 })
  return (body) => {
    const key = body === undefined ? '' : body.toString('latin1', 0, maxKeyLength + 1)
    const found = known.get(key)
    if (found) return found
    const plan = planProperties(parsePropfind(body && parseBody(body)))
    if (key.length > maxKeyLength) return { plan, key: undefined }
    const keyed = { plan, key }
    known.set(key, keyed)
    return keyed
  }
}
