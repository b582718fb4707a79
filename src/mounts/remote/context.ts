import type { Entry, TreePath } from '../../files/index.ts'
import type { RemoteCall } from '../remote-call.ts'
import type { Bounds } from './multistatus.ts'

/** What the verbs of one remote tree share. */
export interface Remote extends Bounds {
  readonly call: RemoteCall
  nameOf(path: TreePath): string
  /** Tells of an entry that was just seen. */
  seen(path: TreePath, entry: Entry): void
  /** A change of ours begins or has ended: what was seen before is no longer so. */
  changed(): void
}
