import { putBackAt } from './files/index.ts'
import { aggregateMetrics } from './metrics/index.ts'
import { drainMsOf, lookInTreeOf, openAdmin, takeData, toServer, type Server } from './server.ts'
import type { Services } from './services.ts'
import { countWorkers, prepareGenerations, startWorkers, type Workers } from './workers/index.ts'

/** A server of several processes, as the one that started them sees it. */
export interface Primary extends Server, Pick<Workers, 'reload' | 'roll'> {}

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
    const metrics = aggregateMetrics()
    prepareGenerations(config.dataDir, count * generationsAtOnce)
    const workers = await startWorkers({
      count,
      log: log.child({ room: 'workers' }),
      drainMs: drainMsOf(config),
      settle: (runId, paths) => settleRun(services, runId, paths),
    })
    const admin = await openAdmin(services, metrics).catch(async (error: unknown) => {
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
    return { ...server, stopped, reload: workers.reload, roll: workers.roll }
  } catch (error) {
    lock.release()
    throw error
  }
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
