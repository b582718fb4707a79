import type { Discovery } from '../peers/index.ts'
import { ShareError } from './errors.ts'

/** `strict` and `legacy` are the operator's word; `auto` leaves it to what the peer demands. */
export type ExchangeMode = 'auto' | 'strict' | 'legacy'

/**
 * Whether the share requires token exchange (OCM, "Share Creation Notification" and "Decision
 * Table").
 *
 * @param weDemand this server gives strict shares only.
 * @throws ShareError when what the operator wants and what the peer demands or can do disagree.
 */
export function decideStrictness(
  host: string,
  mode: ExchangeMode,
  discovery: Discovery,
  weDemand: boolean,
): boolean {
  if (weDemand && mode === 'legacy') {
    const message = 'federation.requireTokenExchange is on; leave out --legacy.'
    throw new ShareError('token_exchange_required', message)
  }
  const demanded = discovery.criteria.includes('must-exchange-token')
  const able = discovery.capabilities.includes('exchange-token')
  if (demanded && mode === 'legacy') {
    const message = `${host} accepts only shares that exchange tokens; leave out --legacy.`
    throw new ShareError('token_exchange_required', message)
  }
  const wanted = mode === 'strict' || weDemand
  if (wanted && !able && !demanded) {
    const message = `${host} cannot exchange tokens, so it could never open a strict share.`
    throw new ShareError('token_exchange_unsupported', message)
  }
  return demanded || wanted
}
