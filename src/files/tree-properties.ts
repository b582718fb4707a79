import type { TreePath } from './tree-path.ts'

/** A property that no server computes: RFC 4918 §4.2. */
export interface DeadProperty {
  readonly namespace: string
  readonly name: string
  /** The whole element as XML, with every namespace it needs. */
  readonly value: string
}

/** A dead property and whose it is. */
export interface PlacedProperty extends DeadProperty {
  readonly path: TreePath
}

/** One step of a PROPPATCH; without a value the property is removed. */
export interface PropertyStep {
  readonly namespace: string
  readonly name: string
  readonly value?: string
}

/** Dead properties that are kept where the files are, and not beside them. */
export interface TreeProperties {
  /** Of a resource, or of its members as well; with `names`, at least those so named. */
  find(
    path: TreePath,
    reach: 'self' | 'members',
    names?: readonly string[],
  ): Promise<readonly PlacedProperty[]>
  /** Every step or none; the status of each property as the keeper gave it (200, 403, 507 …). */
  patch(path: TreePath, steps: readonly PropertyStep[]): Promise<readonly number[]>
}
