import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createListener } from '../../src/app.ts'
import { loadConfig } from '../../src/config/index.ts'
import { createApp } from '../../src/create-app.ts'
import { createHttpServer, type HttpHandler } from '../../src/http/index.ts'
import type { Overrides, Services } from '../../src/services.ts'
import { captureLog, type CapturedLog } from './captured-log.ts'
import { fakeClock, type FakeClock } from './fake-clock.ts'
import { countOutbound } from './outbound-calls.ts'
import { tempDir } from './temp-dir.ts'

export interface ServerOptions extends Overrides {
  /** What `config.json` has beside the test's own: `publicUrl`, `dataDir`, `dev: true`. */
  readonly config?: Readonly<Record<string, unknown>>
  clock?: FakeClock
  /** Deliver in the background as a real server does; true unless a test does it by `runDue()`. */
  readonly courier?: boolean
}

/** A davmesh on a socket of its own, with its own folder, clock and log. */
export interface TestServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, also its `publicUrl`. */
  readonly url: string
  /** `127.0.0.1:PORT`. */
  readonly authority: string
  /** The rooms of the running server; others after a restart. */
  services(): Services
  readonly clock: FakeClock
  readonly log: CapturedLog
  readonly dir: string
  /** `--config` for the command line beside this server. */
  readonly configFile: string
  /** What must never be seen in a log or an error: passwords, refresh tokens, access tokens. */
  readonly secrets: Set<string>
  /** Requests our server has sent to others. */
  outboundCalls(): number
  /** A user with an app password, which becomes one of `secrets`. */
  addUser(username: string): Promise<string>
  /** A file in a user's home; folders as needed. */
  addFile(username: string, path: string, content: string | Uint8Array): Promise<void>
  /**
   * Closes every room and opens them again on the same data, port and clock; `meanwhile` may change
   * the database.
   */
  restart(meanwhile?: (databasePath: string) => void): Promise<void>
  close(): Promise<void>
}

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const { clock = fakeClock(), courier = true, config: settings, ...overrides } = options
  const directory = await tempDir()
  const captured = captureLog()
  const outbound = countOutbound()
  let handler: HttpHandler = () => undefined
  // The port comes first and the URL from it: nobody can take it in between.
  const http = createHttpServer((req, res) => handler(req, res), { log: captured.log })
  const { port } = await http.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${port}`
  const configFile = join(directory.path, 'config.json')
  const content = { publicUrl: url, dataDir: './data', dev: true, ...settings }
  await writeFile(configFile, JSON.stringify(content))
  const config = loadConfig({ file: configFile, environment: {} })

  const open = () => createApp(config, { clock, log: captured.log, ...overrides })
  let app = await open()
  const first = createListener(app.services)
  http.adopt(first.web)
  handler = first.listener
  const startCourier = () => (courier ? app.services.outbox.start({ isAlone: true }) : undefined)
  await startCourier()
  const secrets = new Set<string>()

  async function close(): Promise<void> {
    await http.close(2000)
    await app.close()
    outbound.stop()
    await directory[Symbol.asyncDispose]()
  }
  return {
    url,
    authority: `127.0.0.1:${port}`,
    services: () => app.services,
    clock,
    log: captured,
    dir: directory.path,
    configFile,
    secrets,
    outboundCalls: outbound.count,
    async addUser(username) {
      const { password = '' } = await app.services.users.addUser({ username })
      secrets.add(password)
      return password
    },
    async addFile(username, path, bytes) {
      const { home } = await app.services.users.getUser(username)
      await mkdir(dirname(join(home, path)), { recursive: true })
      await writeFile(join(home, path), bytes)
    },
    async restart(meanwhile) {
      const { path } = app.services.db
      await app.close()
      meanwhile?.(path)
      app = await open()
      handler = createListener(app.services).listener
      await startCourier()
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
