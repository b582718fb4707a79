import { lookup as systemLookup } from 'node:dns/promises'
import { connect, isIP, isIPv6, type LookupFunction, type Socket } from 'node:net'
import { buildConnector } from 'undici'
import { isSameAddress } from './addresses.ts'
import { OutboundError } from './errors.ts'
import { createTap } from './tap.ts'
import { refuseBlocked, type OutboundPolicy } from './target.ts'

/** Resolves a name to all its addresses. */
export type HostLookup = (hostname: string) => Promise<readonly string[]>

export interface ConnectorOptions extends OutboundPolicy {
  /** For name look-up, TCP and TLS together. */
  readonly connectTimeoutMs: number
  readonly lookup?: HostLookup | undefined
  readonly ca?: string | undefined
}

/** More records than this are not a server but a way to keep us busy. */
const maxAddresses = 32

/** RFC 8305 §5: when the next address is tried beside a silent one. */
const nextAddressMs = 250

const lookupAll: HostLookup = async (hostname) =>
  (await systemLookup(hostname, { all: true, verbatim: true })).map(({ address }) => address)

/** One way to a socket, which may be given up at any point. */
interface Attempt {
  socket: Socket | undefined
  expired: boolean
}

/**
 * undici's way to a socket, guarded: look up once, judge every address, dial only those, and look at
 * where we arrived before TLS begins or a byte of the request leaves.
 */
export function createConnector(options: ConnectorOptions): buildConnector.connector {
  const upgrade = buildConnector({
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    allowH2: false,
    // Every connection proves its certificate anew.
    maxCachedSessions: 0,
    // The one timer below covers all three steps.
    timeout: 0,
  })
  return (to, callback) => {
    const attempt: Attempt = { socket: undefined, expired: false }
    withinTime(attempt, options.connectTimeoutMs, to.hostname, reach(to, attempt, options, upgrade))
      // undici's callback runs outside the promise, so that its faults are not taken for ours.
      .then((socket) => process.nextTick(callback, null, socket))
      .catch((error: unknown) => {
        attempt.socket?.destroy()
        process.nextTick(callback, error, null)
      })
  }
}

async function reach(
  to: buildConnector.Options,
  attempt: Attempt,
  options: ConnectorOptions,
  upgrade: buildConnector.connector,
): Promise<Socket> {
  const addresses = await resolve(to.hostname, options)
  // A look-up cannot be cancelled, only ignored.
  if (attempt.expired) throw new OutboundError('timeout', to.hostname)
  const socket = dial(to, addresses)
  attempt.socket = socket
  await connected(socket, to.hostname)
  refuseUnchecked(socket, to.hostname, addresses)
  return to.protocol === 'https:' ? secure(upgrade, to, socket) : socket
}

function withinTime(
  attempt: Attempt,
  limitMs: number,
  hostname: string,
  reaching: Promise<Socket>,
): Promise<Socket> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      attempt.expired = true
      attempt.socket?.destroy()
      reject(new OutboundError('timeout', hostname, { detail: { phase: 'connect' } }))
    }, limitMs)
  })
  return Promise.race([reaching, late]).finally(() => clearTimeout(timer))
}

async function resolve(hostname: string, options: ConnectorOptions): Promise<readonly string[]> {
  const addresses = isIP(hostname) === 0 ? await find(hostname, options) : [hostname]
  if (addresses.length === 0 || addresses.length > maxAddresses) {
    throw new OutboundError('dns_failed', hostname, { detail: { records: addresses.length } })
  }
  refuseBlocked(hostname, addresses, options)
  return addresses
}

async function find(hostname: string, { lookup = lookupAll }: ConnectorOptions) {
  try {
    return await lookup(hostname)
  } catch (cause) {
    throw new OutboundError('dns_failed', hostname, { cause })
  }
}

/** The look-up hook answers with what was checked, so a second, different answer has no way in. */
function dial({ hostname, port, protocol }: buildConnector.Options, addresses: readonly string[]) {
  const pinned = addresses.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }))
  const lookup: LookupFunction = (_hostname, { all }, answer) => {
    const [first] = pinned
    if (all === true || first === undefined) answer(null, pinned)
    else answer(null, first.address, first.family)
  }
  // Within TLS the bytes of the connection are nobody's content.
  const tap = protocol === 'http:' ? createTap() : undefined
  const socket = connect({
    host: hostname,
    port: Number(port || (protocol === 'https:' ? 443 : 80)),
    lookup,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: nextAddressMs,
    noDelay: true,
    ...(tap && { onread: tap.onread }),
  })
  tap?.attach(socket)
  return socket
}

function connected(socket: Socket, hostname: string): Promise<void> {
  return new Promise((done, reject) => {
    socket.once('connect', done)
    // Stays: an error after this is undici's to see, but must never be without a listener.
    socket.on('error', (cause) => reject(new OutboundError('connect_failed', hostname, { cause })))
    socket.once('close', () => reject(new OutboundError('connect_failed', hostname)))
  })
}

/** Fails closed: an address we cannot read, or did not check, is a blocked one. */
export function refuseUnchecked(
  { remoteAddress }: Pick<Socket, 'remoteAddress'>,
  hostname: string,
  checked: readonly string[],
): void {
  if (remoteAddress !== undefined && checked.some((one) => isSameAddress(one, remoteAddress)))
    return
  throw new OutboundError('blocked_address', hostname, { detail: { address: remoteAddress } })
}

function secure(upgrade: buildConnector.connector, to: buildConnector.Options, socket: Socket) {
  return new Promise<Socket>((done, reject) => {
    upgrade({ ...to, httpSocket: socket }, (cause, tlsSocket) => {
      // On failure undici leaves the second argument out, whatever its types say.
      if (cause !== null) reject(new OutboundError('tls_failed', to.hostname, { cause }))
      else done(tlsSocket)
    })
  })
}
