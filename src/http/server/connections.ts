import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Socket } from 'node:net'
import type { Logger } from '../../core/index.ts'
import { createAdmission, type AdmissionOptions, type Refusal } from './admission.ts'
import { createStallWatch } from './stalls.ts'

/** Which sockets are open and what is being answered on each. */
export interface Connections {
  /** Counts a request as running until its response closes. */
  begin(req: IncomingMessage, res: ServerResponse): void
  /** Why nothing is done for this socket but to say so; `undefined`: it is served. */
  refusalOf(socket: Duplex): Refusal | undefined
  /** Whether the head of a response has left on this socket. */
  isAnswering(socket: Duplex): boolean
  /** Stops keeping connections alive: idle ones end now, busy ones with their response,
   *  new ones with their first. */
  drain(): void
  /** Ends everything, TLS handshakes included. */
  cut(): void
}

/** How long the first request of a connection that was just accepted may be on its way. */
const firstRequestMs = 500

/** What is under way on a socket. */
interface Answering {
  readonly socket: Socket
  readonly responses: Set<ServerResponse>
}

export interface ConnectionOptions extends AdmissionOptions {
  readonly secure: boolean
  readonly log: Logger
  readonly checkingIntervalMs: number
  readonly stalledMs: number
}

export function trackConnections(server: Server, options: ConnectionOptions): Connections {
  /** TCP sockets, which for TLS are not the ones that requests know. */
  const sockets = new Set<Socket>()
  const running = new Map<Duplex, Answering>()
  const used = new WeakSet<Duplex>()
  const refused = new WeakMap<Duplex, Refusal>()
  const admission = createAdmission(options)
  const stalls = createStallWatch(options.stalledMs)
  let draining = false

  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const refusal = admission.admit(socket)
    if (!refusal) return
    // What is not yet encrypted cannot be answered.
    if (options.secure) socket.destroy()
    else refused.set(socket, refusal)
  })
  server.on(options.secure ? 'secureConnection' : 'connection', (socket: Socket) => {
    running.set(socket, { socket, responses: new Set() })
    socket.once('close', () => running.delete(socket))
  })
  const sweep = setInterval(() => {
    admission.report(options.log)
    for (const { socket, responses } of running.values()) {
      if (responses.size > 0) stalls.look(socket)
    }
  }, options.checkingIntervalMs).unref()
  server.once('close', () => clearInterval(sweep))

  return {
    begin(req, res) {
      const { socket } = req
      used.add(socket)
      const responses = running.get(socket)?.responses
      responses?.add(res)
      if (draining) res.setHeader('Connection', 'close')
      res.on('close', () => {
        responses?.delete(res)
        if (draining && responses?.size === 0) socket.destroySoon()
      })
    },
    refusalOf: (socket) => refused.get(socket),
    isAnswering: (socket) =>
      [...(running.get(socket)?.responses ?? [])].some((res) => res.headersSent),
    drain() {
      draining = true
      const endIdle = (isMeant: (socket: Duplex) => boolean): void => {
        for (const { socket, responses } of running.values()) {
          if (responses.size === 0 && isMeant(socket)) socket.destroy()
        }
      }
      endIdle((socket) => used.has(socket))
      setTimeout(endIdle, firstRequestMs, () => true).unref()
    },
    cut() {
      for (const socket of sockets) socket.destroy()
    },
  }
}
