import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { inTransaction, incomingShares } from '../../../src/db/index.ts'
import { createLocalTree, type FileTree } from '../../../src/files/index.ts'
import { basic, davClient } from '../../support/dav-client.ts'
import { startServer, type ServerOptions } from '../../support/start-server.ts'
import { tempDir } from '../../support/temp-dir.ts'

export type Stage = Awaited<ReturnType<typeof mountsStage>>

const sender = 'einstein@peer.example'

/** bob and what is shared with him; local trees stand in for the senders. */
export async function mountsStage(
  config: ServerOptions['config'] = {},
  options: Pick<ServerOptions, 'clock'> = {},
) {
  const folder = await tempDir()
  const trees = new Map<string, FileTree>()
  const server = await startServer({
    ...options,
    config,
    openMount({ id }) {
      const tree = trees.get(id)
      if (tree === undefined) throw new Error(`${id} is not mounted`)
      return tree
    },
  })
  const password = await server.addUser('bob')
  const { id: userId } = await server.services().users.getUser('bob')
  const url = `${server.url}/dav/files/bob/`

  return {
    server,
    url,
    files: davClient(url, basic('bob', password)),
    /** Runs what a start runs before anybody is served; returns how many changes were settled. */
    recover: () => {
      const { resources, users, userTreeOf } = server.services()
      return resources.recover(async (id) => {
        const user = await users.findUserById(id)
        return user && userTreeOf(user).glance
      })
    },
    userId,
    async mount(
      mountName: string,
      change: Partial<typeof incomingShares.$inferInsert> = {},
    ): Promise<FileTree> {
      const id = `rcv-${mountName}`
      const root = join(folder.path, id)
      await mkdir(root)
      const { receive: _nothingIsHiddenThere, ...tree } = createLocalTree({
        root,
        durability: 'normal',
      })
      trees.set(id, tree)
      const row = {
        id,
        userId,
        senderHost: 'peer.example',
        providerId: id,
        sender,
        owner: sender,
        name: mountName,
        resourceType: 'folder',
        strict: false,
        form: 'named',
        contentHash: '',
        state: 'accepted',
        mountName,
        createdAt: 0,
        ...change,
      } as const
      await inTransaction(server.services().db, async (tx) => {
        await tx.insert(incomingShares).values(row)
      })
      return tree
    },
    async [Symbol.asyncDispose]() {
      await server.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}
