import { expect, it, jest } from '@jest/globals'
import { join } from 'node:path'
import { epochSeconds, systemClock } from '../../../src/core/index.ts'
import { openDatabase } from '../../../src/db/index.ts'
import { offerOf } from '../../support/offer.ts'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { crashStage } from './stage.ts'

/** Every case starts the built server. */
jest.setTimeout(60_000)

/** What a recipient would see, and what its sender is owed. */
function rowsIn(dataDir: string): unknown[] {
  const db = openDatabase(join(dataDir, 'davmesh.sqlite'))
  try {
    return db.raw.reader
      .prepare('SELECT state, count(*) AS count FROM incoming_shares GROUP BY state')
      .all()
  } finally {
    db.close()
  }
}

it('an offer is there once, when the server dies between recording and answering', async () => {
  await using peer = await independentPeer()
  await using stage = await crashStage()
  const us = { url: 'http://127.0.0.1:9', clock: { seconds: () => epochSeconds(systemClock) } }
  await stage.start('received.committed:kill')
  const to = () => ({ sendTo: `http://${stage.process().address}/ocm/shares` })
  const target = { ...us, authority: '127.0.0.1:9', secrets: new Set<string>() }
  const offer = offerOf(target, peer, { shareWith: 'alice@127.0.0.1:9' })
  await stage.dies(peer.offer(us, offer, to()))
  await stage.start()
  expect((await peer.offer(us, offer, to())).status).toBe(201)
  expect(rowsIn(stage.dataDir)).toEqual([{ state: 'pending', count: 1 }])
})
