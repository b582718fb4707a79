import { isDeepStrictEqual } from 'node:util'
import type { Config } from './config/index.ts'
import { AppError } from './core/index.ts'
import { putBackAt } from './files/index.ts'
import { createTally, type Snapshot } from './metrics/index.ts'
import { drainMsOf, lookInTreeOf, openAdmin, takeData, toServer, type Server } from './server.ts'
import type { Services } from './services.ts'
import {
  countWorkers,
  prepareGenerations,
  startWorkers,
  type Setup,
  type Workers,
} from './workers/index.ts'

/** A server of several processes, as the one that started them sees it. */
export interface Primary extends Server, Pick<Workers, 'reload'> {
  /**
   * Replaces the workers by such that run with `config`.
   *
   * @throws AppError `restart_needed` when it says otherwise what holds for the whole server.
   */
  roll(config: Config): Promise<void>
}

/** So many processes may be there at once: old ones that drain, and dead ones that are settled. */
const generationsAtOnce = 4

/**
 * Makes the data ready, starts the workers that serve it, and answers on `config.admin` itself.
 *
 * @throws AppError `already_served`, `worker_failed`.
 */
export async function startPrimary(services: Services): Promise<Primary> {
  const { config, log } = services
  const count = countWorkers(config.workers)
  const lock = await takeData(services)
  try {
    const tally = createTally()
    prepareGenerations(config.dataDir, count * generationsAtOnce)
    const workers = await startWorkers({
      count,
      log: log.child({ room: 'workers' }),
      setup: setupOf(services, config),
      departed: (metrics) => tally.departed(metrics as Snapshot),
      settle: (runId, paths) => settleRun(services, runId, paths),
    })
    const measure = async () => tally.text((await workers.measure()) as Snapshot[])
    const admin = await openAdmin(services, measure).catch(async (error: unknown) => {
      await workers.stop()
      throw error
    })
    const server = toServer({
      address: workers.address,
      adminAddress: admin?.address,
      renewCertificate: () => undefined,
      async close() {
        services.health.drain()
        await workers.stop()
        await admin?.close()
        lock.release()
      },
    })
    // Also when they have ended by themselves.
    const stopped = workers.ended.finally(server.stop)
    stopped.catch(() => undefined)
    return {
      ...server,
      stopped,
      reload: workers.reload,
      async roll(next) {
        refuseRestart(config, next)
        await workers.roll(setupOf(services, next))
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Federation and the log level are the primary's: both change while it runs. */
const setupOf = ({ federation, log }: Services, config: Config): Setup => ({
  configuration: () => ({
    ...config,
    federation: federation.current(),
    log: { ...config.log, level: log.level },
  }),
  drainMs: drainMsOf(config),
})

function refuseRestart(now: Config, next: Config): void {
  const fixed = ({ dataDir, listen: { host, port }, admin, publicUrl, workers }: Config) =>
    Object.entries({ dataDir, 'listen.host': host, 'listen.port': port, admin, publicUrl, workers })
  const nextOf = new Map<string, unknown>(fixed(next))
  const changed = fixed(now).filter(([name, value]) => !isDeepStrictEqual(value, nextOf.get(name)))
  if (changed.length === 0) return
  const names = changed.map(([name]) => name).join(', ')
  throw new AppError('invalid', 'restart_needed', `${names}: this changes with a restart only`)
}

/** What a dead worker was at, while the others go on: its turns are not free before. */
async function settleRun(
  services: Services,
  runId: string,
  paths: readonly string[],
): Promise<void> {
  const { log, outbox, resources } = services
  let restored = 0
  for (const path of paths) if (await putBackAt(path)) restored += 1
  const interrupted = await resources.settleRun(lookInTreeOf(services), runId)
  await outbox.endLeases(runId)
  if (restored + interrupted > 0) {
    log.warn({ restored, interrupted }, 'what a dead worker was at is settled')
  }
}
