import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll } from '@jest/globals'
import { createRemoteTree } from '../../../../src/mounts/remote/remote-tree.ts'
import { independentPeer, type IndependentPeer } from '../../../support/peer/independent-peer.ts'
import { addAlice, shareWith } from '../../../support/share-with.ts'
import { startServer, type TestServer } from '../../../support/start-server.ts'
import { describeFileTree } from '../../files/file-tree-contract.ts'
import { callerOf } from './support.ts'

let server: TestServer
let peer: IndependentPeer
let authorization: string
let home: string
let folders = 0

beforeAll(async () => {
  server = await startServer()
  peer = await independentPeer()
  await addAlice(server)
  const permissions = ['read', 'write', 'share'] as const
  const { secret } = await shareWith(server, peer, { mode: 'legacy', permissions })
  authorization = `Bearer ${secret}`
  ;({ home } = await server.services().users.getUser('alice'))
})
afterAll(() => Promise.all([peer.close(), server.close()]))

describeFileTree(
  'remote',
  async () => {
    folders += 1
    await mkdir(join(home, 'Holiday', `${folders}`))
    const { call, close } = callerOf(`${server.url}/dav/ocm/${folders}`, authorization)
    return { tree: createRemoteTree({ call, name: 'Mount' }), dispose: () => void close() }
  },
  { 'goes on reading what was replaced': 'the sender keeps one version' },
)
