import type { Entry } from '../../files/index.ts'
import type { Subject } from './live.ts'
import type { KeyedPlan } from './plans.ts'
import { multistatusOf, renderResponse } from './render.ts'

/** Renders one resource, and remembers the body for as long as somebody keeps its entry. */
export type RenderOne = (asked: KeyedPlan, subject: Subject) => string

interface Described {
  readonly asked: KeyedPlan
  readonly subject: Subject
  readonly body: string
}

/** Only for subjects of which nothing is stored, and whose plan asks for no space. */
export function createDescriptions(): RenderOne {
  const known = new WeakMap<Entry, Described>()
  return (asked, subject) => {
    const last = known.get(subject.entry)
    if (last?.asked === asked && isSame(last.subject, subject)) return last.body
    const body = multistatusOf(renderResponse(asked.plan, subject))
    if (asked.key !== undefined) known.set(subject.entry, { asked, subject, body })
    return body
  }
}

/** Whether two subjects with the same entry are described alike. */
const isSame = (one: Subject, other: Subject): boolean =>
  one.href === other.href &&
  one.isRoot === other.isRoot &&
  one.displayName === other.displayName &&
  one.permissions.join() === other.permissions.join()
