import type { RequestHandler } from 'express'
import { writeDiscovery, type DiscoveryFacts } from './document.ts'

/** Long enough to spare us, short enough for a changed setting to arrive soon. */
const documentCache = 'public, max-age=300'
/** A rotated key must be found soon. */
const keysCache = 'public, max-age=300'

export const serveDiscovery =
  (
    facts: () => DiscoveryFacts,
    legacyKey: (() => Promise<{ keyId: string; publicKeyPem: string }>) | undefined,
  ): RequestHandler =>
  async (request, response) => {
    const key = await legacyKey?.()
    const publicKey = key && { keyId: key.keyId, publicKeyPem: key.publicKeyPem }
    response
      .set({
        'Cache-Control': documentCache,
        Vary: 'User-Agent',
        'X-Content-Type-Options': 'nosniff',
      })
      .json(writeDiscovery({ ...facts(), publicKey }, request.get('user-agent')))
  }

/** RFC 7517 §8.5.2: `application/jwk-set+json`. */
export const serveJwks =
  (jwks: () => Promise<unknown>): RequestHandler =>
  async (_request, response) => {
    response
      .set({ 'Cache-Control': keysCache, 'X-Content-Type-Options': 'nosniff' })
      .type('application/jwk-set+json')
      .send(JSON.stringify(await jwks()))
  }
