import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals'
import type { FaultPoint } from '../../../src/core/index.ts'
import { bearer, davClient } from '../../support/dav-client.ts'
import { rowsOf, soundness } from '../db/old-database.ts'
import { peerStage, type PeerStage } from './peer-stage.ts'

/** Every case starts the built server. */
jest.setTimeout(60_000)

let peers: PeerStage

beforeAll(async () => {
  peers = await peerStage()
})

afterAll(async () => {
  await peers[Symbol.asyncDispose]()
})

// What the client does when it dies before it has kept its token is R11 in access.test.ts.
it.each<[FaultPoint, number]>([
  ['exchange.signed', 0],
  ['exchange.committed', 1],
])('R3: killed at %s, nothing is half there and the peer asks again', async (point, recorded) => {
  const { stage, shareId } = peers
  const path = join(stage.dataDir, 'davmesh.sqlite')
  const tokens = () => rowsOf(path)['access_tokens'] ?? []
  const before = tokens().length
  await stage.start(`${point}:kill`)
  await stage.dies(peers.askToken())
  await stage.start()
  expect(tokens()).toHaveLength(before + recorded)
  const answer = await peers.askToken()
  expect(answer.status).toBe(200)
  const token = String(answer.json()['access_token'])
  const shared = davClient(`http://${stage.process().address}/dav/ocm/`, bearer(token))
  expect((await shared.get('beach.txt')).text).toBe('sun and sand')
  expect(tokens()).toHaveLength(before + recorded + 1)
  for (const row of tokens()) expect(row).toMatchObject({ share_id: shareId, revoked_at: null })
  expect(soundness(path)).toEqual(['ok', []])
})
