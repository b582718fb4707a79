import { randomText, Secret } from '../core/index.ts'

/**
 * The OCM `sharedSecret`: 43 letters and digits, 256 random bits, without `-` and `_`, so that it
 * is the same in base64 and base64url and needs no escaping anywhere.
 */
export const newRefreshToken = (): Secret => new Secret(randomText(43))
