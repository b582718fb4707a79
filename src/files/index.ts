/** files: the `FileTree` port and the local tree. */
export { FileError, toFileError, type FileErrorCode } from './errors.ts'
export type {
  ByteRange,
  CopyOptions,
  DirectoryView,
  Entry,
  Expected,
  FileTree,
  ListOptions,
  OpenFile,
  Placed,
  PlaceOptions,
  ReadHint,
  Space,
  TreePermission,
  WriteOptions,
  Written,
} from './file-tree.ts'
export { noGeneration, type Generation } from './generation.ts'
export { glance, lookIn } from './glance.ts'
export { createLocalTree, type LocalTreeOptions } from './local/local-tree.ts'
export { createLocalState, type LocalState, type SharedState } from './local/local-state.ts'
export type { Medium } from './local/medium.ts'
export { putBackAt } from './local/put-back.ts'
export {
  findTemporaries,
  repairLocalTree,
  type Repaired,
  type RepairOptions,
} from './local/repair.ts'
export { createTurns, type Turns } from './local/turns.ts'
export { subtree } from './subtree.ts'
export {
  checkPath,
  isReservedName,
  isSegment,
  isWithin,
  reservedName,
  samePath,
  type TreePath,
} from './tree-path.ts'
export type {
  DeadProperty,
  PlacedProperty,
  PropertyStep,
  TreeProperties,
} from './tree-properties.ts'
