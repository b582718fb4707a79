import { inTransaction, remember, type Database, type Transaction } from '../../db/index.ts'
import type { DeadProperty, PlacedProperty, PropertyStep } from '../../files/index.ts'
import { fromText, parentOf, toText } from '../path-text.ts'
import type { ResourcePlace } from '../place.ts'
import {
  deletePropertiesWithin,
  deleteProperty,
  measureProperties,
  prepareHasProperties,
  selectListing,
  selectProperties,
  upsertProperty,
} from './queries.ts'

export interface PropertyLimits {
  readonly perResource: number
  /** UTF-8, all values of a resource together. */
  readonly bytesPerResource: number
  readonly propertiesPerTree: number
  readonly propertyBytesPerTree: number
}

/** Of how many it is remembered whether they have any. */
const maxTrees = 10_000

const keyOf = ({ namespace, name }: PropertyStep): string => `${namespace}\n${name}`

const bytesOf = (properties: readonly DeadProperty[]): number =>
  properties.reduce((sum, { value }) => sum + Buffer.byteLength(value), 0)

export function createProperties(db: Database, limits: PropertyLimits) {
  const probe = prepareHasProperties(db)
  const hasProperties = remember(
    db,
    maxTrees,
    async (treeId) => (await probe.execute({ treeId })).length > 0,
  )

  /** Whether a tree would have more than it may, where a resource gets other properties. */
  async function isFull(
    tx: Transaction,
    treeId: string,
    before: readonly DeadProperty[],
    after: readonly DeadProperty[],
  ): Promise<boolean> {
    const { count, bytes } = await measureProperties(tx, treeId)
    const more = after.length - before.length
    const moreBytes = bytesOf(after) - bytesOf(before)
    return (
      (more > 0 && count + more > limits.propertiesPerTree) ||
      (moreBytes > 0 && bytes + moreBytes > limits.propertyBytesPerTree)
    )
  }

  function fits(properties: readonly DeadProperty[]): boolean {
    return properties.length <= limits.perResource && bytesOf(properties) <= limits.bytesPerResource
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
        if (grows && (await isFull(tx, treeId, before, [...after.values()]))) return 'too_much'
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
