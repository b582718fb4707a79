import type { OutgoingShareRow } from './queries.ts'

/** A share we gave; instants in epoch milliseconds. */
export interface OutgoingShare extends OutgoingShareRow {
  /** The owner's user name. */
  readonly owner: string
}
