import { LRUCache } from 'lru-cache'
import type { DirectoryView } from '../../files/index.ts'
import type { KeyedPlan } from './plans.ts'
import { multistatusEnd, multistatusStart, renderResponse } from './render.ts'
import { memberOf } from './subject.ts'
import type { Subject } from './live.ts'
import { TextParts } from './text-parts.ts'

/** What all remembered bodies may take together. */
const maxBytes = 32 * 1024 * 1024

/** Renders whole directories, and remembers the bodies for as long as the directory is the same. */
export type RenderView = (view: DirectoryView, asked: KeyedPlan, subject: Subject) => Buffer

/** Only for subjects of which nothing is stored, and whose plan asks for no space. */
export function createListings(): RenderView {
  const known = new LRUCache<string, Buffer>({
    maxSize: maxBytes,
    sizeCalculation: (body, key) => body.length + key.length,
  })
  return (view, asked, subject) => {
    const key = asked.key === undefined ? undefined : keyOf(view, asked.key, subject)
    const found = key === undefined ? undefined : known.get(key)
    if (found) return found
    const text = new TextParts(multistatusStart + renderResponse(asked.plan, subject))
    for (const entry of view.members) {
      text.add(renderResponse(asked.plan, memberOf(subject, entry)))
    }
    text.add(multistatusEnd)
    const body = text.take()
    if (key !== undefined) known.set(key, body)
    return body
  }
}

/** Everything that a body depends on; a version is never used twice. */
const keyOf = (
  { version }: DirectoryView,
  asked: string,
  { href, displayName, isRoot, permissions }: Subject,
): string => [version, isRoot, permissions.join(), displayName, href, asked].join('\n')
