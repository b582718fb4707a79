import { hashSecret, randomText } from '../../../src/core/index.ts'
import { inTransaction, outgoingShares, refreshTokens } from '../../../src/db/index.ts'
import type { Services } from '../../../src/services.ts'
import { createExchange } from '../../../src/tokens/exchange.ts'

const peer = 'peer.example'

/** A share that is not strict, so that its refresh token opens it; returns that token. */
export async function addShare({ db }: Services, ownerId: string): Promise<string> {
  const secret = randomText(43)
  const id = `shr-${randomText(22)}`
  await inTransaction(db, async (tx) => {
    await tx.insert(outgoingShares).values({
      id,
      ownerId,
      path: ['shared'],
      resourceType: 'folder',
      name: 'shared',
      recipient: `bob@${peer}`,
      recipientHost: peer,
      permissions: ['read', 'write'],
      strict: false,
      state: 'sent',
      createdAt: 0,
    })
    const secretHash = hashSecret(secret)
    await tx.insert(refreshTokens).values({ id, shareId: id, secretHash, createdAt: 0 })
  })
  return secret
}

/** What the token endpoint would answer the peer. */
export async function getAccessToken(services: Services, refreshToken: string): Promise<string> {
  const { publicUrl, tokens, limits } = services.config
  const exchange = createExchange({
    ...services,
    issuer: publicUrl,
    ttlSeconds: tokens.ttlSeconds,
    limit: limits.token,
  })
  const share = await exchange.findShare({ refreshToken, clientId: peer })
  return (await exchange.issue(share)).accessToken
}
