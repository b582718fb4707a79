import {
  checkPath,
  FileError,
  isWithin,
  type CopyOptions,
  type FileErrorCode,
  type Placed,
  type TreePath,
} from '../../files/index.ts'
import { discard, failureOf, refusal, type Answer } from './answers.ts'
import type { Remote } from './context.ts'
import { isPlace } from './look.ts'
import { readMultistatus } from './multistatus.ts'

const whenMaking: Readonly<Record<number, FileErrorCode>> = { 404: 'parent_missing', 405: 'exists' }

/** RFC 4918 §9.3 */
export async function makeDirectory(remote: Remote, path: TreePath): Promise<void> {
  if (path.length === 0) throw new FileError('exists')
  checkPath(path)
  const answer = await changing(remote, () =>
    remote.call({ method: 'MKCOL', path, isCollection: true }),
  )
  await succeeded(remote, answer, whenMaking)
}

/** RFC 4918 §9.6 */
export async function removeRemote(remote: Remote, path: TreePath): Promise<void> {
  if (path.length === 0) throw new FileError('is_root')
  if (!isPlace(path)) throw new FileError('not_found')
  const answer = await changing(remote, () => remote.call({ method: 'DELETE', path }))
  await succeeded(remote, answer, {})
}

/** RFC 4918 §9.8, §9.9: the peer does it, without the content passing through here. */
export async function placeRemote(
  remote: Remote,
  method: 'COPY' | 'MOVE',
  from: TreePath,
  to: TreePath,
  { overwrite, shallow = false }: CopyOptions,
): Promise<Placed> {
  if (to.length === 0 || (method === 'MOVE' && from.length === 0)) throw new FileError('is_root')
  if (isWithin(from, to)) throw new FileError('into_itself')
  if (!isPlace(from)) throw new FileError('not_found')
  checkPath(to)
  const headers = {
    overwrite: overwrite ? 'T' : 'F',
    ...(method === 'COPY' && { depth: shallow ? '0' : 'infinity' }),
  }
  const answer = await changing(remote, () =>
    remote.call({ method, path: from, destination: to, headers }),
  )
  await succeeded(remote, answer, {
    ...(overwrite ? {} : { 412: 'exists' as const }),
    ...(isWithin(to, from) ? { 403: 'into_itself' as const } : {}),
  })
  return { created: answer.status === 201 }
}

async function changing(remote: Remote, work: () => Promise<Answer>): Promise<Answer> {
  remote.changed()
  try {
    return await work()
  } finally {
    remote.changed()
  }
}

/** RFC 4918 §9.6.1, §9.8.3: a Multi-Status says of what it went wrong, and so that it did. */
async function succeeded(
  remote: Remote,
  answer: Answer,
  special: Readonly<Record<number, FileErrorCode>>,
): Promise<void> {
  const { status } = answer
  if (status < 200 || status > 299) throw refusal(answer, special)
  if (status !== 207) {
    discard(answer)
    return
  }
  let failed: number | undefined
  for await (const batch of readMultistatus(answer, remote)) {
    for (const { status: one, properties } of batch) {
      const worst = [one, ...properties.map((property) => property.status)]
      // RFC 4918 §11.4: 424 is the consequence of another failure.
      const bad = worst.filter((code) => code !== undefined && (code < 200 || code > 299))
      failed = bad.find((code) => code !== 424) ?? failed ?? bad[0]
    }
  }
  if (failed !== undefined) throw failureOf(failed === 401 ? 403 : failed, {}, special)
}
