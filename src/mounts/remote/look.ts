import {
  FileError,
  isReservedName,
  isSegment,
  type Entry,
  type ListOptions,
  type TreePath,
} from '../../files/index.ts'
import type { Remote } from './context.ts'
import type { RemoteEntry } from './facts.ts'
import { askProperties, entryNames, entryOf, findSelf, nothingSaid, readFound } from './propfind.ts'

/** Whether anything can be at a path; what cannot is not asked for. */
export const isPlace = (path: TreePath): boolean =>
  path.every((segment) => isSegment(segment) && !isReservedName(segment))

const isMissing = (error: unknown): boolean =>
  error instanceof FileError && error.code === 'not_found'

export async function look(remote: Remote, path: TreePath): Promise<RemoteEntry | undefined> {
  if (!isPlace(path)) return undefined
  try {
    const answer = await askProperties(remote.call, path, '0', entryNames)
    const entry = entryOf(remote.nameOf(path), await findSelf(answer, remote))
    remote.seen(path, entry)
    return entry
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

const refuse = (): never => {
  throw new FileError('left_out')
}

/** More names than this are not remembered only to find the ones that come twice. */
const maxNames = 20_000

/** The members of a directory as they come, however many there are. */
export async function* listMembers(
  remote: Remote,
  path: TreePath,
  { whole = false }: ListOptions = {},
): AsyncGenerator<readonly Entry[]> {
  if (!isPlace(path)) throw new FileError('not_found')
  const answer = await askProperties(remote.call, path, '1', entryNames)
  const names = new Set<string>()
  let isKnown = false
  for await (const batch of readFound(answer, remote, whole ? { onIgnored: refuse } : {})) {
    const entries: Entry[] = []
    for (const { member, response } of batch) {
      if (member === undefined) {
        if (isKnown) continue
        const self = entryOf(remote.nameOf(path), response)
        if (self.kind === 'file') throw new FileError('not_a_directory')
        remote.seen(path, self)
        isKnown = true
      } else if (!names.has(member)) {
        if (names.size < maxNames) names.add(member)
        entries.push(entryOf(member, response))
      }
    }
    if (entries.length > 0) yield entries
  }
  if (!isKnown && names.size === 0) throw nothingSaid()
}
