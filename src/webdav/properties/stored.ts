import { andThen, type Awaitable } from '../../core/index.ts'
import { isWithin, type TreePath, type TreeProperties } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { renderLocks } from '../locks/discovery.ts'
import { placeOf } from '../locks/place.ts'
import type { DeadProperty, Lock, PlacedProperty, ResourcePlace } from '../resources.ts'
import { asksForLocks, type Subject } from './live.ts'
import type { PropertyPlan } from './render.ts'

/** What is stored of a resource and its members, fetched at once. */
export interface Stored {
  at(path: TreePath): Pick<Subject, 'dead' | 'lockDiscovery'>
}

/** One query each for properties and locks, and none for a tree without: `undefined`. */
export function loadStored(
  exchange: Exchange,
  plan: PropertyPlan,
  path: TreePath,
  withMembers: boolean,
): Awaitable<Stored | undefined> {
  const place = placeOf(exchange, path)
  return andThen(loadProperties(exchange, plan, path, withMembers), (dead) =>
    andThen(loadLocks(exchange, plan, place, withMembers), (locks) =>
      dead || locks ? toStored(exchange, place, dead, locks ?? []) : undefined,
    ),
  )
}

function toStored(
  exchange: Exchange,
  place: ResourcePlace,
  dead: ReadonlyMap<string, DeadProperty[]> | undefined,
  locks: readonly Lock[],
): Stored {
  const locksAt = indexLocks(locks, place.path)
  return {
    at(inner) {
      const { path } = placeOf(exchange, inner)
      return { dead: dead?.get(textOf(path)), lockDiscovery: renderLocks(exchange, locksAt(path)) }
    },
  }
}

/** One text per path. */
const textOf = (path: TreePath): string => path.join('/')

/** Finds the locks of a resource or a member of it without going through all locks every time. */
function indexLocks(locks: readonly Lock[], root: TreePath): (path: TreePath) => readonly Lock[] {
  const spreading = locks.filter((lock) => lock.depth === 'infinity' && isWithin(root, lock.path))
  const exact = new Map<string, Lock[]>()
  for (const lock of locks) {
    const text = textOf(lock.path)
    exact.set(text, [...(exact.get(text) ?? []), lock])
  }
  return (path) => [
    ...spreading.filter((lock) => lock.path.length < path.length),
    ...(exact.get(textOf(path)) ?? []),
  ]
}

/** Whether the answer depends on properties that are stored. */
export const asksForDead = ({
  namesOnly,
  reportsMissing,
  others,
}: Pick<PropertyPlan, 'namesOnly' | 'reportsMissing' | 'others'>): boolean =>
  namesOnly || !reportsMissing || others.length > 0

function loadProperties(
  exchange: Exchange,
  { namesOnly, reportsMissing, others }: PropertyPlan,
  path: TreePath,
  withMembers: boolean,
): Awaitable<Map<string, DeadProperty[]> | undefined> {
  if (!asksForDead({ namesOnly, reportsMissing, others })) return undefined
  const names = reportsMissing && !namesOnly ? others.map(({ name }) => name) : undefined
  const reach = withMembers ? 'members' : 'self'
  return andThen(findProperties(exchange, path, reach, names), (rows) =>
    rows && rows.length > 0 ? byPath(rows) : undefined,
  )
}

function byPath(rows: readonly PlacedProperty[]): Map<string, DeadProperty[]> {
  const found = new Map<string, DeadProperty[]>()
  for (const row of rows) {
    const text = textOf(row.path)
    const known = found.get(text)
    if (known) known.push(row)
    else found.set(text, [row])
  }
  return found
}

/** By their paths in the owner's tree; from the tree itself where that keeps them. */
function findProperties(
  exchange: Exchange,
  path: TreePath,
  reach: 'self' | 'members',
  names: readonly string[] | undefined,
): Awaitable<readonly PlacedProperty[] | undefined> {
  const { tree, settings } = exchange
  return andThen(tree.properties?.(path), (own) => {
    if (own) return findOwn(exchange, own, path, reach, names)
    const place = placeOf(exchange, path)
    return andThen(settings.resources.hasProperties(place.treeId), (hasSome) =>
      hasSome ? settings.resources.findProperties(place, reach, names) : undefined,
    )
  })
}

async function findOwn(
  exchange: Exchange,
  own: TreeProperties,
  path: TreePath,
  reach: 'self' | 'members',
  names: readonly string[] | undefined,
): Promise<PlacedProperty[]> {
  const found = await own.find(path, reach, names)
  return found.map((row) => ({ ...row, path: placeOf(exchange, row.path).path }))
}

function loadLocks(
  { settings: { resources } }: Exchange,
  { namesOnly, live }: PropertyPlan,
  place: ResourcePlace,
  withMembers: boolean,
): Awaitable<readonly Lock[] | undefined> {
  if (namesOnly || !asksForLocks(live)) return undefined
  return andThen(resources.hasLocks(place.treeId), (hasSome) =>
    hasSome
      ? resources
          .findLocks(place, withMembers ? 'around' : 'above')
          .then((locks) => (locks.length === 0 ? undefined : locks))
      : undefined,
  )
}
