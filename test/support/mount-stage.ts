import { basic, davClient } from './dav-client.ts'
import { fakeClock } from './fake-clock.ts'
import { davSender, type DavSender, type SenderOptions } from './peer/dav-sender.ts'
import { startServer, type ServerOptions, type TestServer } from './start-server.ts'

export type MountStage = Awaited<ReturnType<typeof mountStage>>
export type DavClient = ReturnType<typeof davClient>

/** Who waits for a dead sender waits for real, so not for long. */
export const timeoutMs = 700

/** bob's own files, with the password that he has. */
export const filesOf = (server: TestServer, username: string, password: string): DavClient =>
  davClient(`${server.url}/dav/files/${username}/`, basic(username, password))

/** bob's server, and as many senders that are no davmesh as a test wants. */
export async function mountStage({ config, ...options }: ServerOptions = {}) {
  const clock = options.clock ?? fakeClock()
  const settings = { outbound: { timeoutMs }, ...config }
  const server = await startServer({ courier: false, ...options, clock, config: settings })
  const password = await server.addUser('bob')
  await server.addFile('bob', 'own.txt', 'my own')
  const senders: DavSender[] = []
  return {
    server,
    clock,
    files: filesOf(server, 'bob', password),
    /** A sender with `beach.txt`, `more/deep.txt` and `ten.txt`, and bob's id of what it shares. */
    async mount(wanted: Omit<SenderOptions, 'clock'> = {}, offer: Record<string, unknown> = {}) {
      const sender = await davSender({ clock, ...wanted })
      senders.push(sender)
      if (wanted.file === undefined) {
        sender.store.write('beach.txt', 'sun and sand')
        sender.store.write('ten.txt', '0123456789')
        sender.store.mkdir('more')
        sender.store.write('more/deep.txt', 'deep')
      }
      const id = await sender.give(server, 'bob', offer)
      const { mountName } = await server.services().incoming.get(id)
      return { sender, id, path: `Shared/${encodeURIComponent(mountName ?? '')}` }
    },
    async close(): Promise<void> {
      await server.close()
      await Promise.all(senders.map((sender) => sender.close()))
    },
  }
}
