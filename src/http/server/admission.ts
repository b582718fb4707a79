import type { Socket } from 'node:net'
import type { Logger } from '../../core/index.ts'

export interface AdmissionOptions {
  readonly maxConnections: number
  readonly maxConnectionsPerAddress: number
  /** Whom a connection counts for; `undefined`: for nobody, as that of a proxy. */
  readonly countAs: (address: string) => string | undefined
}

/** `all`: the server has no room for anybody; `address`: this client has enough. */
export type Refusal = 'all' | 'address'

export interface Admission {
  admit(socket: Socket): Refusal | undefined
  /** Logs how many were refused since the last time, if any. */
  report(log: Logger): void
}

/** How long a refused client may take to ask something and to hear that it is refused. */
const lingerMs = 2_000

/** With so many times the bound nobody is heard any more. */
const deafAt = 2

/** Counts connections, together and by address. */
export function createAdmission(options: AdmissionOptions): Admission {
  const { maxConnections, maxConnectionsPerAddress, countAs } = options
  const byAddress = new Map<string, number>()
  let total = 0
  let refusals = 0

  function count(socket: Socket): number {
    total += 1
    const who = countAs(socket.remoteAddress ?? '')
    const own = who === undefined ? 0 : (byAddress.get(who) ?? 0) + 1
    if (who !== undefined) byAddress.set(who, own)
    socket.once('close', () => {
      total -= 1
      if (who === undefined) return
      const left = (byAddress.get(who) ?? 1) - 1
      if (left === 0) byAddress.delete(who)
      else byAddress.set(who, left)
    })
    return own
  }

  return {
    admit(socket) {
      const own = count(socket)
      if (total <= maxConnections && own <= maxConnectionsPerAddress) return undefined
      refusals += 1
      const isDeaf = total > maxConnections * deafAt || own > maxConnectionsPerAddress * deafAt
      const timer = setTimeout(() => socket.destroy(), isDeaf ? 0 : lingerMs)
      socket.once('close', () => clearTimeout(timer))
      return own > maxConnectionsPerAddress ? 'address' : 'all'
    },
    report(log) {
      if (refusals > 0) log.warn({ refused: refusals, open: total }, 'too many connections')
      refusals = 0
    },
  }
}
