import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { createExchange } from '../../../src/tokens/exchange.ts'
import { tokenStage, type TokenStage } from '../../support/token-stage.ts'

let stage: TokenStage

beforeAll(async () => (stage = await tokenStage()))
afterAll(() => stage.close())

it('no token of a share that was revoked while its token was being signed', async () => {
  const { server, share } = stage
  const { db, clock, events, keys, shares, tokens, config } = server.services()
  const { findShare, issue } = createExchange({
    db,
    clock,
    events,
    shares,
    issuer: config.publicUrl,
    ttlSeconds: 3600,
    limit: { exchanges: 10, windowSeconds: 60 },
    keys: {
      async signJwt(type, claims) {
        await shares.revokeShare(share.id)
        return keys.signJwt(type, claims)
      },
    },
  })
  const live = await findShare({ refreshToken: share.secret, clientId: stage.peer.host })
  await expect(issue(live)).rejects.toMatchObject({ code: 'invalid_grant' })
  const known = await tokens.listTokens(share.id)
  expect(known.filter(({ revokedAt }) => revokedAt === null)).toEqual([])
})
