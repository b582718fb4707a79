import { LRUCache } from 'lru-cache'
import type { DirectoryView } from '../../files/index.ts'
import type { ResourcePlace } from '../resources.ts'
import type { KeyedPlan } from './plans.ts'
import { multistatusEnd, multistatusStart, renderResponse } from './render.ts'
import { memberOf } from './subject.ts'
import type { Subject } from './live.ts'
import { TextParts } from './text-parts.ts'

/** What all remembered bodies may take together. */
const maxBytes = 32 * 1024 * 1024

/** Renders whole directories, and remembers the bodies for as long as the directory is the same. */
export type RenderView = (
  view: DirectoryView,
  asked: KeyedPlan,
  subject: Subject,
  place: ResourcePlace,
) => Buffer

interface Listing {
  /** Never used twice. */
  readonly version: number
  readonly body: Buffer
}

/** Only for subjects of which nothing is stored, and whose plan asks for no space. */
export function createListings(): RenderView {
  const known = new LRUCache<string, Listing>({
    maxSize: maxBytes,
    sizeCalculation: ({ body }, key) => body.length + key.length,
  })
  return (view, asked, subject, place) => {
    const key = asked.key === undefined ? undefined : keyOf(place, asked.key, subject)
    const found = key === undefined ? undefined : known.get(key)
    if (found?.version === view.version) return found.body
    const text = new TextParts(multistatusStart + renderResponse(asked.plan, subject))
    for (const entry of view.members) {
      text.add(renderResponse(asked.plan, memberOf(subject, entry)))
    }
    text.add(multistatusEnd)
    const body = text.take()
    if (key !== undefined) known.set(key, { version: view.version, body })
    return body
  }
}

/** Everything that a body depends on but the version, so that the next one takes its place. */
const keyOf = (
  { treeId, path }: ResourcePlace,
  asked: string,
  { href, displayName, isRoot, permissions }: Subject,
): string =>
  [treeId, path.join('/'), isRoot, permissions.join(), displayName, href, asked].join('\n')
