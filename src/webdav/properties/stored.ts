import { isWithin, type TreePath } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { renderLocks } from '../locks/discovery.ts'
import { placeOf } from '../locks/place.ts'
import type { DeadProperty, Lock, ResourcePlace } from '../resources.ts'
import { asksForLocks, type Subject } from './live.ts'
import type { PropertyPlan } from './render.ts'

/** What is stored of a resource and its members, fetched at once. */
export interface Stored {
  at(path: TreePath): Pick<Subject, 'dead' | 'lockDiscovery'>
}

/** One query each for properties and locks, and none for a tree without: `undefined`. */
export async function loadStored(
  exchange: Exchange,
  plan: PropertyPlan,
  path: TreePath,
  withMembers: boolean,
): Promise<Stored | undefined> {
  const place = placeOf(exchange, path)
  const dead = await loadProperties(exchange, plan, path, withMembers)
  const locks = await loadLocks(exchange, plan, place, withMembers)
  if (!dead && !locks) return undefined
  const locksAt = indexLocks(locks ?? [], place.path)
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

async function loadProperties(
  exchange: Exchange,
  { namesOnly, reportsMissing, others }: PropertyPlan,
  path: TreePath,
  withMembers: boolean,
): Promise<Map<string, DeadProperty[]> | undefined> {
  if (!asksForDead({ namesOnly, reportsMissing, others })) return undefined
  const names = reportsMissing && !namesOnly ? others.map(({ name }) => name) : undefined
  const rows = await findProperties(exchange, path, withMembers ? 'members' : 'self', names)
  if (!rows || rows.length === 0) return undefined
  const byPath = new Map<string, DeadProperty[]>()
  for (const row of rows) {
    const text = textOf(row.path)
    const known = byPath.get(text)
    if (known) known.push(row)
    else byPath.set(text, [row])
  }
  return byPath
}

/** By their paths in the owner's tree; from the tree itself where that keeps them. */
async function findProperties(
  exchange: Exchange,
  path: TreePath,
  reach: 'self' | 'members',
  names: readonly string[] | undefined,
): Promise<readonly (DeadProperty & { readonly path: TreePath })[] | undefined> {
  const { tree, settings } = exchange
  const own = await tree.properties?.(path)
  if (own) {
    const found = await own.find(path, reach, names)
    return found.map((row) => ({ ...row, path: placeOf(exchange, row.path).path }))
  }
  const place = placeOf(exchange, path)
  if (!(await settings.resources.hasProperties(place.treeId))) return undefined
  return settings.resources.findProperties(place, reach, names)
}

async function loadLocks(
  { settings: { resources } }: Exchange,
  { namesOnly, live }: PropertyPlan,
  place: ResourcePlace,
  withMembers: boolean,
): Promise<readonly Lock[] | undefined> {
  if (namesOnly || !asksForLocks(live)) return undefined
  if (!(await resources.hasLocks(place.treeId))) return undefined
  const locks = await resources.findLocks(place, withMembers ? 'around' : 'above')
  return locks.length === 0 ? undefined : locks
}
