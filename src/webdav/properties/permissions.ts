import type { Permission } from '../../auth/index.ts'
import type { Entry } from '../../files/index.ts'

interface Subject {
  readonly entry: Entry
  readonly isRoot: boolean
  readonly permissions: readonly Permission[]
}

/** ownCloud's letters: Reshare, Get, Delete, reName, moVe, Write, Create file, (K) create folder. */
export function permissionLetters({ entry, isRoot, permissions }: Subject): string {
  let letters = ''
  if (permissions.includes('share')) letters += 'R'
  if (permissions.includes('read')) letters += 'G'
  if (!permissions.includes('write')) return letters
  if (!isRoot) letters += 'DNV'
  return letters + (entry.kind === 'directory' ? 'CK' : 'W')
}

/** Open Collaboration Services: 1 read, 2 update, 4 create, 8 delete, 16 share. */
export function permissionBits({ entry, isRoot, permissions }: Subject): number {
  let bits = 0
  if (permissions.includes('read')) bits |= 1
  if (permissions.includes('write')) {
    bits |= 2
    if (entry.kind === 'directory') bits |= 4
    if (!isRoot) bits |= 8
  }
  if (permissions.includes('share')) bits |= 16
  return bits
}
