import type { RequestListener } from 'node:http'
import { createListener } from './app.ts'
import type { Config } from './config/index.ts'
import { createLogger, type Logger } from './core/index.ts'
import { openServices, type Overrides, type Services } from './services.ts'
import { startServer, type Server } from './server.ts'

/** The whole server, embedded. */
export interface App extends AsyncDisposable {
  readonly services: Services
  /** For a server of your own. */
  readonly listener: RequestListener
  /** Listens on `config.listen`. */
  start(): Promise<Server>
  /** Stops listening and closes the database. */
  close(): Promise<void>
}

/**
 * Opens everything `config` names; nothing listens until `start`.
 *
 * @throws AppError when the data directory cannot be trusted.
 */
export async function createApp(
  config: Config,
  overrides: Overrides & { log?: Logger } = {},
): Promise<App> {
  const log = overrides.log ?? createLogger(config.log)
  const services = await openServices(config, log, overrides)
  let server: Server | undefined
  async function close(): Promise<void> {
    await server?.stop()
    await services.close()
  }
  const { listener } = createListener(services)
  return {
    services,
    listener: (request, response) => void listener(request, response),
    async start() {
      server = await startServer(services)
      return server
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
