import {
  FileError,
  glance,
  samePath,
  type Entry,
  type FileTree,
  type TreePath,
} from '../../files/index.ts'
import { checkConditions } from '../conditions/evaluate.ts'
import { badRequest, forbidden, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { carryOut } from '../locks/carry-out.ts'
import { changing, type Affected } from '../locks/enforce.ts'
import { clientGone, sendEmpty } from '../reply.ts'

/** RFC 4918 §9.8 */
export const copy: DavMethod = {
  needs: ['read'],
  body: 'none',
  depth: true,
  destination: true,
  async run(exchange) {
    const { res, tree, place, fields } = exchange
    // RFC 4918 §9.8.3: 1 has no meaning here.
    if (fields.depth === '1') throw badRequest('COPY takes a Depth of 0 or infinity.')
    const { destination, arrival } = await findEnds(exchange)
    const shallow = fields.depth === '0'
    const { overwrite } = fields
    const from = place.path
    const { created } = await changing(exchange, [arrival], () =>
      carryOut(exchange, { kind: 'copy', from, to: destination, shallow }, () =>
        tree.copy(from, destination, { overwrite, shallow, signal: goneSignal(exchange) }),
      ),
    )
    sendEmpty(res, created ? 201 : 204)
  },
}

/** RFC 4918 §9.9 */
export const move: DavMethod = {
  needs: ['write'],
  departs: true,
  body: 'none',
  depth: true,
  destination: true,
  async run(exchange) {
    const { res, tree, place, fields } = exchange
    if (place.path.length === 0) throw forbidden('The root of a tree cannot be moved.')
    const { source, destination, arrival } = await findEnds(exchange, glance)
    // RFC 4918 §9.9.2
    if (source.kind === 'directory' && (fields.depth ?? 'infinity') !== 'infinity') {
      throw badRequest('A collection is moved with everything in it.')
    }
    const { overwrite } = fields
    const from = place.path
    const departure = { path: from, tree: true, membership: true }
    const { created } = await changing(exchange, [departure, arrival], () =>
      carryOut(exchange, { kind: 'move', from, to: destination }, () =>
        tree.move(from, destination, { overwrite, signal: goneSignal(exchange) }),
      ),
    )
    sendEmpty(res, created ? 201 : 204)
  },
}

/** Aborted when the client leaves without its answer. */
function goneSignal({ res }: Exchange): AbortSignal {
  const gone = new AbortController()
  const leave = (): void => {
    if (!res.writableFinished) gone.abort(clientGone())
  }
  // Perhaps it left while its request was being judged.
  if (res.closed) leave()
  res.once('close', leave)
  return gone.signal
}

const find = async (tree: FileTree, path: TreePath): Promise<Entry | undefined> => tree.stat(path)

interface Ends {
  readonly source: Entry
  readonly destination: TreePath
  readonly arrival: Affected
}

/** @param look MOVE need not ask anybody else about something that only gets another name. */
async function findEnds(
  exchange: Exchange,
  look: (tree: FileTree, path: TreePath) => Promise<Entry | undefined> = find,
): Promise<Ends> {
  const { tree, place, fields } = exchange
  const destination = fields.destination ?? []
  if (destination.length === 0) throw forbidden('The root of a tree cannot be replaced.')
  const source = await look(tree, place.path)
  if (!source) throw notFound()
  // RFC 4918 §9.8.5, §9.9.4
  if (samePath(place.path, destination)) throw forbidden('Source and destination are the same.')
  await checkConditions(exchange, source)
  const existing = await glance(tree, destination)
  if (existing && !fields.overwrite) throw new FileError('exists')
  return { source, destination, arrival: { path: destination, tree: true, membership: !existing } }
}
