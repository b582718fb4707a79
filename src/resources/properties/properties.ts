import { inTransaction, remember, type Database } from '../../db/index.ts'
import type { DeadProperty, PlacedProperty, PropertyStep } from '../../files/index.ts'
import { fromText, parentOf, toText } from '../path-text.ts'
import type { ResourcePlace } from '../place.ts'
import {
  deletePropertiesWithin,
  deleteProperty,
  prepareHasProperties,
  selectListing,
  selectProperties,
  upsertProperty,
} from './queries.ts'

export interface PropertyLimits {
  readonly perResource: number
  /** UTF-8, all values of a resource together. */
  readonly bytesPerResource: number
}

/** Of how many it is remembered whether they have any. */
const maxTrees = 10_000

const keyOf = ({ namespace, name }: PropertyStep): string => `${namespace}\n${name}`

export function createProperties(db: Database, limits: PropertyLimits) {
  const probe = prepareHasProperties(db)
  const hasProperties = remember(
    db,
    maxTrees,
    async (treeId) => (await probe.execute({ treeId })).length > 0,
  )

  function fits(properties: readonly DeadProperty[]): boolean {
    const bytes = properties.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0)
    return properties.length <= limits.perResource && bytes <= limits.bytesPerResource
  }

  return {
    /** Whether a tree has any dead property at all: remembered until something is committed. */
    hasProperties,

    /** Of a resource; `members`: of its members as well. With `names`, at least those so named. */
    async findProperties(
      at: ResourcePlace,
      reach: 'self' | 'members',
      names?: readonly string[],
    ): Promise<readonly PlacedProperty[]> {
      const select = reach === 'self' ? selectProperties : selectListing
      const rows = await select(db, at.treeId, toText(at.path), names)
      return rows.map((row) => ({ ...row, path: fromText(row.path) }))
    },

    /** RFC 4918 §9.2: every step, in order, or none; `too_much` when it would not fit. */
    patchProperties: (
      { treeId, path }: ResourcePlace,
      steps: readonly PropertyStep[],
    ): Promise<'done' | 'too_much'> =>
      inTransaction(db, async (tx) => {
        const place = { treeId, path: toText(path) }
        const before = await selectProperties(tx, treeId, place.path)
        const after = new Map<string, DeadProperty>(before.map((row) => [keyOf(row), row]))
        for (const { namespace, name, value } of steps) {
          const key = keyOf({ namespace, name })
          if (value === undefined) after.delete(key)
          else after.set(key, { namespace, name, value })
        }
        const grows = steps.some(({ value }) => value !== undefined)
        if (grows && !fits([...after.values()])) return 'too_much'
        for (const step of new Map(steps.map((one) => [keyOf(one), one])).values()) {
          const { namespace, name, value } = step
          const row = { ...place, parent: parentOf(place.path), namespace, name }
          if (value === undefined) await deleteProperty(tx, row)
          else await upsertProperty(tx, { ...row, value })
        }
        return 'done'
      }),

    /** Something new begins without the properties of what once had its name. */
    async forgetProperties({ treeId, path }: ResourcePlace): Promise<void> {
      if (!(await hasProperties(treeId))) return
      await inTransaction(db, (tx) => deletePropertiesWithin(tx, treeId, toText(path)))
    },
  }
}
