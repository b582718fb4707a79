import { FileError } from '../../files/index.ts'
import { checkConditions } from '../conditions/evaluate.ts'
import { badRequest, DavError, forbidden, preconditionFailed } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { endTogether } from '../../http/index.ts'
import { renderLocks } from '../locks/discovery.ts'
import { hrefsOf, requireTokens, submittedTokens } from '../locks/enforce.ts'
import { parseLockInfo, type LockInfo } from '../locks/lock-body.ts'
import { covers, holderOf, placeOf } from '../locks/place.ts'
import { sendConflict } from '../locks/send-conflict.ts'
import { parseTimeout } from '../locks/timeout.ts'
import type { Lock, LockOutcome } from '../resources.ts'
import { readXmlBody } from '../xml/body.ts'
import { xmlDeclaration, xmlType } from '../../xml/index.ts'
import { checkNewPlace } from './put.ts'

/** RFC 4918 §9.10 */
export const lock: DavMethod = { needs: ['write'], body: 'xml', depth: true, run: runLock }

async function runLock(exchange: Exchange): Promise<void> {
  const { tree, place, fields } = exchange
  // RFC 4918 §9.10.3
  if (fields.depth === '1') throw badRequest('LOCK takes a Depth of 0 or infinity.')
  const entry = await tree.stat(place.path)
  if (!entry) await checkNewPlace(exchange)
  await checkConditions(exchange, entry)
  const root = await readXmlBody(exchange)
  if (!root) return refresh(exchange)
  const info = parseLockInfo(root)
  // RFC 4918 §7.4: a new name in a locked collection.
  const affected = [{ path: place.path, membership: true }]
  if (!entry) await requireTokens(exchange, affected)
  const outcome = await addLock(exchange, info)
  if (outcome.status !== 'granted') {
    sendRefusal(exchange, outcome)
    return
  }
  const created = entry ? false : await createEmpty(exchange, outcome.lock)
  await exchange.settings.resources.settled(outcome.lock)
  sendLocks(exchange, created ? 201 : 200, [outcome.lock], outcome.lock.token)
}

const addLock = (exchange: Exchange, info: LockInfo): Promise<LockOutcome> =>
  exchange.settings.resources.addLock({
    ...placeOf(exchange, exchange.place.path),
    ...info,
    depth: exchange.fields.depth === '0' ? '0' : 'infinity',
    holder: holderOf(exchange.principal),
    seconds: parseTimeout(timeoutField(exchange)),
  })

const timeoutField = ({ req }: Exchange): string | undefined =>
  req.headersDistinct['timeout']?.join(',')

/** RFC 4918 §7.3: an empty file takes the name, unless somebody was faster. */
async function createEmpty(exchange: Exchange, held: Lock): Promise<boolean> {
  const { tree, place, settings } = exchange
  try {
    await settings.resources.forgetProperties(held)
    await tree.write(place.path, noContent(), { expected: 'absent' })
    return true
  } catch (error) {
    if (error instanceof FileError && error.code === 'changed') return false
    await settings.resources.removeLock(held)
    throw error
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- a body without a chunk
async function* noContent(): AsyncGenerator<Uint8Array> {
  yield* []
}

function sendRefusal(
  exchange: Exchange,
  outcome: Exclude<LockOutcome, { status: 'granted' }>,
): void {
  if (outcome.status === 'too_many') throw new DavError(507, 'There are too many locks.')
  const { path } = placeOf(exchange, exchange.place.path)
  const near = outcome.locks.filter((one) => covers(one, path))
  if (near.length === 0) {
    sendConflict(exchange, outcome.locks)
    return
  }
  throw new DavError(423, 'The resource is locked.', {
    element: 'D:no-conflicting-lock',
    hrefs: hrefsOf(exchange, near),
  })
}

/** RFC 4918 §9.10.2: a LOCK without a body, for the one lock that `If` names. */
async function refresh(exchange: Exchange): Promise<void> {
  const { resources } = exchange.settings
  const place = placeOf(exchange, exchange.place.path)
  const tokens = submittedTokens(exchange)
  if (tokens.size === 0) throw badRequest('A LOCK has a body, or the token of a lock in If.')
  const locks = await resources.findLocks(place, 'above')
  const [held, ...more] = locks.filter((one) => covers(one, place.path) && tokens.has(one.token))
  if (!held) throw preconditionFailed()
  if (more.length > 0) throw badRequest('A LOCK refreshes one lock at a time.')
  // RFC 4918 §6.4
  if (held.holder !== holderOf(exchange.principal).key) throw forbidden('The lock is not yours.')
  await resources.refreshLock(held, parseTimeout(timeoutField(exchange)))
  const after = await resources.findLocks(place, 'above')
  sendLocks(
    exchange,
    200,
    after.filter((one) => covers(one, place.path)),
  )
}

function sendLocks(
  exchange: Exchange,
  status: number,
  locks: readonly Lock[],
  token?: string,
): void {
  const content = `<D:lockdiscovery>${renderLocks(exchange, locks)}</D:lockdiscovery>`
  const body = Buffer.from(`${xmlDeclaration}<D:prop xmlns:D="DAV:">${content}</D:prop>\n`)
  exchange.res.writeHead(status, {
    'Content-Type': xmlType,
    'Content-Length': body.length,
    ...(token !== undefined && { 'Lock-Token': `<${token}>` }),
  })
  endTogether(exchange.res, body)
}
