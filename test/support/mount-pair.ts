import type { NewShare } from '../../src/shares/index.ts'
import { basic, davClient } from './dav-client.ts'
import { federation } from './federation.ts'
import { pairOf } from './pair.ts'

export type MountPair = Awaited<ReturnType<typeof mountPair>>

/** alice shares `/Holiday` with bob, who has accepted: two servers with a bad network between. */
export async function mountPair(
  wanted: Partial<NewShare> = {},
  config: Readonly<Record<string, unknown>> = {},
) {
  const network = await federation(2, config)
  const [alices, bobs] = network.members
  if (alices === undefined || bobs === undefined) throw new Error('two were asked for')
  await alices.addFile('alice', 'Holiday/more/deep.txt', 'deep')
  await bobs.addFile('bob', 'own.txt', 'my own')
  const share = await alices.services().shares.createShare({
    owner: 'alice',
    path: '/Holiday',
    recipient: bobs.address,
    permissions: ['read', 'write'],
    ...wanted,
  })
  const { id } = await pairOf(alices, bobs).accept(share.id)
  return {
    ...network,
    alices,
    bobs,
    share,
    /** bob's id of it. */
    id,
    /** bob's own tree, past the proxy before his server. */
    files: davClient(`${bobs.url}/dav/files/bob/`, basic('bob', bobs.password)),
    path: 'Shared/Holiday',
  }
}
