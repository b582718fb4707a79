import {
  FileError,
  type PlacedProperty,
  type PropertyStep,
  type Space,
  type TreePath,
  type TreeProperties,
} from '../../files/index.ts'
import { xmlDeclaration, xmlType } from '../../xml/index.ts'
import { garbled, refusal } from './answers.ts'
import { deadOf } from './dead.ts'
import type { Remote } from './context.ts'
import { isPlace } from './look.ts'
import { textOf, type MemberStatus, type PropertyStatus } from './multistatus.ts'
import { askProperties, davNames, emptyElement, findSelf, readFound } from './propfind.ts'
import type { Views } from './views.ts'

/** More than this of a directory's properties is not kept in memory for anybody. */
const maxFound = 10_000

/** Dead properties as the peer keeps them (RFC 4918 §4.2). */
export const createProperties = (remote: () => Remote, views: Views): TreeProperties => ({
  async find(path, reach, names) {
    const kept = reach === 'members' ? await views.findDead(path) : undefined
    if (kept === undefined) return find(remote(), path, reach, names)
    return names ? kept.filter(({ name }) => names.includes(name)) : kept
  },
  patch: (path, steps) => patch(remote(), path, steps),
})

async function find(
  remote: Remote,
  path: TreePath,
  reach: 'self' | 'members',
  names: readonly string[] | undefined,
): Promise<readonly PlacedProperty[]> {
  if (!isPlace(path)) return []
  const answer = await askProperties(remote.call, path, reach === 'self' ? '0' : '1', 'allprop')
  const found: PlacedProperty[] = []
  for await (const batch of readFound(answer, remote)) {
    for (const { member, response } of batch) {
      found.push(...deadOf(path, member, response, names))
    }
    if (found.length > maxFound) throw garbled(new Error('too many properties'))
  }
  return found
}

/** RFC 4918 §9.2 */
async function patch(
  remote: Remote,
  path: TreePath,
  steps: readonly PropertyStep[],
): Promise<readonly number[]> {
  if (!isPlace(path)) throw new FileError('not_found')
  const instructions = steps.map((step) =>
    step.value === undefined
      ? `<D:remove><D:prop>${emptyElement(step)}</D:prop></D:remove>`
      : `<D:set><D:prop>${step.value}</D:prop></D:set>`,
  )
  remote.changed()
  const answer = await remote
    .call({
      method: 'PROPPATCH',
      path,
      headers: { 'content-type': xmlType },
      body: `${xmlDeclaration}<D:propertyupdate xmlns:D="DAV:">${instructions.join('')}</D:propertyupdate>`,
    })
    .finally(remote.changed)
  if (answer.status !== 207) throw refusal(answer)
  // RFC 4918 §14.24: a status for the whole, or one for each property.
  const { status, properties } = await findSelf(answer, remote, hasOutcome)
  const outcome = new Map(properties.map((one) => [keyOf(one.element), one.status]))
  // What a peer says nothing of failed with the rest, or succeeded with it.
  const rest = status ?? (properties.every((one) => one.status === 200) ? 200 : 424)
  return steps.map((step) => asOurs(outcome.get(keyOf(step)) ?? rest))
}

const hasOutcome = ({ status, properties }: MemberStatus): boolean =>
  status !== undefined || properties.length > 0

const keyOf = ({ namespace, name }: { namespace: string; name: string }): string =>
  `${namespace} ${name}`

/** Never a 401 of theirs; and 200, 403, 409, 423, 424 and 507 are what clients know. */
const asOurs = (status: number): number => (status === 401 ? 403 : status)

/** What is not there, or nobody may ask, has no quota that we know of. */
async function findQuota(remote: Remote, path: TreePath): Promise<readonly PropertyStatus[]> {
  try {
    const names = davNames('quota-available-bytes', 'quota-used-bytes')
    const answer = await askProperties(remote.call, path, '0', names)
    return (await findSelf(answer, remote)).properties
  } catch (error) {
    if (error instanceof FileError) return []
    throw error
  }
}

/** RFC 4331 §3, §4 */
export async function findSpace(remote: Remote, path: TreePath): Promise<Space | undefined> {
  if (!isPlace(path)) return undefined
  const properties = await findQuota(remote, path)
  const numberOf = (name: string): number | undefined => {
    const found = properties.find(({ status, element }) => status === 200 && element.name === name)
    const text = found ? textOf(found.element).trim() : ''
    return /^\d{1,15}$/.test(text) ? Number(text) : undefined
  }
  const availableBytes = numberOf('quota-available-bytes')
  if (availableBytes === undefined) return undefined
  return { availableBytes, usedBytes: numberOf('quota-used-bytes') ?? 0 }
}
