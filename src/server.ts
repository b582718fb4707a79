import type { AddressInfo } from 'node:net'
import { createAdminListener, createListener } from './app.ts'
import { createIsProxy, networkOf } from './client-address.ts'
import type { Config } from './config/index.ts'
import { AppError, settledWithin, type Logger } from './core/index.ts'
import { requireSound, takeServeLock, type ServeLock } from './db/index.ts'
import { lookIn, repairLocalTree, type FileTree } from './files/index.ts'
import { createHttpServer, type HttpHandler, type HttpServer } from './http/index.ts'
import { partOf } from './request-limits.ts'
import type { Services } from './services.ts'
import type { Colleagues } from './workers/index.ts'

/** A server that accepts requests. */
export interface Server {
  /** `host:port` as bound. */
  readonly address: string
  /** The same of the admin listener, where there is one. */
  readonly adminAddress: string | undefined
  /** Settles when the server has stopped; rejects when it had to. */
  readonly stopped: Promise<void>
  /** Reads the files of `listen.tls` again; connections that stand keep theirs. */
  renewCertificate(): void
  /** Stops accepting, lets running requests end, cuts the rest. */
  stop(): Promise<void>
}

/**
 * One process that does everything: repairs what a crash left, then listens, on `config.listen` and
 * on `config.admin` if there is one.
 *
 * @throws AppError `already_served`, `cannot_listen`.
 */
export async function startServer(services: Services): Promise<Server> {
  const lock = await takeData(services)
  const opened: (() => Promise<void>)[] = []
  try {
    // Before anybody is served: it is the likelier one to fail.
    const admin = await openAdmin(services, services.metrics.text)
    if (admin) {
      opened.push(admin.close)
      services.metrics.watchProcess()
    }
    const { address, server } = await openMain(services)
    opened.push(() => server.close(0))
    await services.outbox.start({ isAlone: true, runId: services.runId })
    services.jobs.start()
    return toServer({
      address,
      adminAddress: admin?.address,
      renewCertificate: server.renewCertificate,
      async close() {
        await windDown(services, server)
        // It says to the last that the server is not ready.
        await admin?.close()
        lock.release()
      },
    })
  } catch (error) {
    await Promise.all(opened.map((close) => close()))
    lock.release()
    throw error
  }
}

/** One of several processes: it serves data that the primary has made ready. */
export async function startWorker(services: Services, colleagues: Colleagues): Promise<Server> {
  const { metrics } = services
  const isMeasured = services.config.admin !== null
  if (isMeasured) colleagues.onMeasure(metrics.snapshot)
  colleagues.joined(services.runId)
  const { address, server } = await openMain(services, (handler) => (request, response) => {
    // Whatever a client did through another process, it finds done.
    services.db.forgetVersion()
    return handler(request, response)
  })
  if (isMeasured) metrics.watchProcess()
  await services.outbox.start({ isAlone: false, runId: services.runId })
  services.jobs.start()
  const worker = toServer({
    address,
    renewCertificate: server.renewCertificate,
    async close() {
      await windDown(services, server)
      if (isMeasured) colleagues.leaving(await metrics.snapshot())
    },
  })
  colleagues.onStop(() => void worker.stop())
  colleagues.ready(address)
  return worker
}

/**
 * Takes the data directory for this process and those it starts, and finishes what a crash
 * interrupted, before anybody can see it.
 *
 * @throws AppError `already_served`, `secret_key_replaced`.
 */
export async function takeData(services: Services): Promise<ServeLock> {
  const { config, keys, log, outbox, shares } = services
  requireSound(services.db)
  const lock = takeServeLock(config.dataDir)
  warnOfSettings(config, log)
  try {
    services.confirmSecretKey()
    await repairHomes(services)
    await keys.ensureNamed()
    const owed = await shares.oweInterrupted()
    if (owed > 0) log.warn({ owed }, 'interrupted share notices are sent again')
    await outbox.endLeases()
    return lock
  } catch (error) {
    lock.release()
    throw error
  }
}

/** How long running requests may take to end after a stop was asked for. */
export const drainMsOf = ({ limits }: Config): number => limits.drainSeconds * 1000

/** Beyond the drain: handlers clean up, deliveries to peers and chores come to an end. */
const endingMs = 10_000

/** How long a stop may take, in milliseconds. */
export const stopMsOf = (config: Config): number => drainMsOf(config) + endingMs

/** Lets all that this process does come to an end; peers that take too long are not waited for. */
async function windDown(services: Services, server: HttpServer): Promise<void> {
  const { config, log, health, outbox, jobs } = services
  health.drain()
  const ends = [server.close(drainMsOf(config)), outbox.stop(), jobs.stop()]
  if (await settledWithin(stopMsOf(config), ends)) return
  log.warn('stopping takes too long: what is asked of other servers is cut')
  await services.cutOff()
}

/** A server that is closed once, however often it is stopped. */
export function toServer({
  close,
  ...server
}: Pick<Server, 'address' | 'renewCertificate'> & {
  readonly adminAddress?: string | undefined
  readonly close: () => Promise<void>
}): Server {
  let closing: Promise<void> | undefined
  let ended: () => void
  const stopped = new Promise<void>((resolve) => (ended = resolve))
  return {
    adminAddress: undefined,
    ...server,
    stopped,
    async stop() {
      closing ??= close()
      await closing
      ended()
    },
  }
}

async function openMain(
  services: Services,
  wrap: (handler: HttpHandler) => HttpHandler = (handler) => handler,
): Promise<{ address: string; server: HttpServer }> {
  const { config, log, processes } = services
  const { listener, web } = createListener(services)
  const { connections, transfers } = config.limits
  const isProxy = createIsProxy(config.trustProxy)
  const server = createHttpServer(wrap(listener), {
    log,
    tls: config.listen.tls,
    limits: {
      maxConnections: partOf(connections.total, processes),
      maxConnectionsPerAddress: partOf(connections.perAddress, processes),
      stalledMs: transfers.stalledSeconds * 1000,
      checkingIntervalMs: Math.min(5000, transfers.stalledSeconds * 250),
    },
    countAs: (address) => (isProxy(address) ? undefined : networkOf(address)),
  })
  server.adopt(web)
  const another = 'Choose another with --listen host:port.'
  return { address: textOf(await listen(server, config.listen, another)), server }
}

const textOf = ({ address, family, port }: AddressInfo): string =>
  `${family === 'IPv6' ? `[${address}]` : address}:${port}`

/**
 * The second listener, if the configuration names one.
 *
 * @param metrics all that there is to say.
 * @throws AppError `cannot_listen`.
 */
export async function openAdmin(
  services: Services,
  metrics: () => Promise<string>,
): Promise<{ address: string; close: () => Promise<void> } | undefined> {
  const { config, log } = services
  if (config.admin === null) return undefined
  const admin = createHttpServer(createAdminListener(services, metrics), { log })
  const another = 'Choose another in the configuration: admin.listen.'
  const address = textOf(await listen(admin, config.admin.listen, another))
  return { address, close: () => admin.close(0) }
}

/** A user's files, for whoever settles what was interrupted in them. */
export const lookInTreeOf =
  ({ users, userTreeOf }: Services) =>
  async (userId: string): Promise<ReturnType<typeof lookIn> | undefined> => {
    const user = await users.findUserById(userId)
    const tree: FileTree | undefined = user && userTreeOf(user)
    return tree && lookIn(tree)
  }

async function repairHomes(services: Services): Promise<void> {
  const { users, resources, log } = services
  for (const { username, home } of await users.listUsers()) {
    const repaired = await repairLocalTree(home)
    if (repaired.removed > 0) log.warn({ username, ...repaired }, 'interrupted writes cleaned up')
  }
  const interrupted = await resources.recover(lookInTreeOf(services))
  if (interrupted > 0) log.warn({ interrupted }, 'interrupted moves, copies and removals settled')
}

/** @throws AppError `cannot_listen`, naming the port and what to do. */
async function listen(
  server: HttpServer,
  at: NonNullable<Config['admin']>['listen'],
  another: string,
): Promise<AddressInfo> {
  try {
    return await server.listen(at)
  } catch (cause) {
    const { code = '', message } = cause as NodeJS.ErrnoException
    const reason = code === 'EADDRINUSE' ? 'another program has the port' : message
    throw new AppError(
      'unavailable',
      'cannot_listen',
      `Cannot listen on ${at.host}:${at.port}: ${reason}. ${another}`,
      { cause },
    )
  }
}

function warnOfSettings({ dev, publicUrl }: Config, log: Logger): void {
  if (!dev) return
  log.warn('dev: peers may be on plain http; anybody on the path reads shared secrets')
  log.warn('dev: peers may be on private addresses; a stranger can make us call our own network')
  if (publicUrl.startsWith('http:')) log.warn('dev: publicUrl is plain http')
}
