import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createAdminListener, createListener } from './app.ts'
import { createIsProxy, networkOf } from './client-address.ts'
import type { Config } from './config/index.ts'
import { AppError, type Logger } from './core/index.ts'
import { takeServeLock } from './db/index.ts'
import { lookIn, repairLocalTree } from './files/index.ts'
import { createHttpServer, type HttpServer } from './http/index.ts'
import type { Services } from './services.ts'

/** How long running requests may take to end after a stop was asked for. */
const drainMs = 30_000

/** A server that accepts requests. */
export interface Server {
  /** `host:port` as bound. */
  readonly address: string
  /** Settles when the server has stopped. */
  readonly stopped: Promise<void>
  /** Stops accepting, lets running requests end, cuts the rest. */
  stop(): Promise<void>
}

/** Repairs what a crash left, then listens, on `config.listen` and on `config.admin` if there is one. */
export async function startServer(services: Services): Promise<Server> {
  const { config, log } = services
  warnOfSettings(config, log)
  const lock = takeServeLock(join(config.dataDir, 'serve.lock'))
  if (lock === undefined) {
    log.warn('another davmesh serves this data directory; nothing is repaired')
  }
  try {
    if (lock !== undefined) await repairHomes(services)
    await services.keys.ensureNamed()
    const server = await openListeners(services, async () => {
      await services.outbox.stop()
      lock?.release()
    })
    const owed = lock === undefined ? 0 : await services.shares.oweInterrupted()
    if (owed > 0) services.log.warn({ owed }, 'interrupted share notices are sent again')
    await services.outbox.start({ isAlone: lock !== undefined })
    return server
  } catch (error) {
    lock?.release()
    throw error
  }
}

async function openListeners(services: Services, onStopped: () => Promise<void>): Promise<Server> {
  const { config, log } = services
  const { listener, web } = createListener(services)
  const { connections, transfers } = config.limits
  const isProxy = createIsProxy(config.trustProxy)
  const main = createHttpServer(listener, {
    log,
    tls: config.listen.tls,
    limits: {
      maxConnections: connections.total,
      maxConnectionsPerAddress: connections.perAddress,
      stalledMs: transfers.stalledSeconds * 1000,
      checkingIntervalMs: Math.min(5000, transfers.stalledSeconds * 250),
    },
    countAs: (address) => (isProxy(address) ? undefined : networkOf(address)),
  })
  main.adopt(web)
  const { address, family, port } = await listen(main, config)
  const servers = [main]
  if (config.admin !== null) {
    const admin = createHttpServer(createAdminListener(services), { log })
    await admin.listen(config.admin.listen)
    servers.push(admin)
  }
  let ended: () => void
  const stopped = new Promise<void>((resolve) => (ended = resolve))
  return {
    address: `${family === 'IPv6' ? `[${address}]` : address}:${port}`,
    stopped,
    async stop() {
      await Promise.all(servers.map((server) => server.close(drainMs)))
      await onStopped()
      ended()
    },
  }
}

/** Finishes what a crash interrupted, before anybody can see it; only where nobody else writes. */
async function repairHomes({ users, resources, userTreeOf, log }: Services): Promise<void> {
  for (const { username, home } of await users.listUsers()) {
    const repaired = await repairLocalTree(home)
    if (repaired.removed > 0) log.warn({ username, ...repaired }, 'interrupted writes cleaned up')
  }
  const interrupted = await resources.recover(async (userId) => {
    const user = await users.findUserById(userId)
    return user && lookIn(userTreeOf(user))
  })
  if (interrupted > 0) log.warn({ interrupted }, 'interrupted moves, copies and removals settled')
}

/** @throws AppError `cannot_listen`, naming the port and what to do. */
async function listen(server: HttpServer, { listen: at }: Config): Promise<AddressInfo> {
  try {
    return await server.listen(at)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'another program has the port' : message
    throw new AppError(
      'unavailable',
      'cannot_listen',
      `Cannot listen on ${at.host}:${at.port}: ${reason}. Choose another with --listen host:port.`,
      { cause },
    )
  }
}

function warnOfSettings({ dev, publicUrl, workers }: Config, log: Logger): void {
  if (workers !== 1) log.warn({ workers }, 'workers: this version runs one process')
  if (!dev) return
  log.warn('dev: peers may be on plain http; anybody on the path reads shared secrets')
  log.warn('dev: peers may be on private addresses; a stranger can make us call our own network')
  if (publicUrl.startsWith('http:')) log.warn('dev: publicUrl is plain http')
}
