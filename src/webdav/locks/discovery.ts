import type { Exchange } from '../exchange.ts'
import type { Lock } from '../resources.ts'
import { holderOf, hrefOfLock } from './place.ts'

const entry = (scope: string): string =>
  `<D:lockentry><D:lockscope><D:${scope}/></D:lockscope>` +
  '<D:locktype><D:write/></D:locktype></D:lockentry>'

/** RFC 4918 §15.10: what those who may write may lock. */
export const supportedLocks = entry('exclusive') + entry('shared')

/** RFC 4918 §15.8: everybody sees that there is a lock; its token only its holder (§20.7 aside). */
export function renderLocks(exchange: Exchange, locks: readonly Lock[]): string {
  const now = exchange.settings.clock.now()
  const { key } = holderOf(exchange.principal)
  return locks
    .map((lock) => {
      const { scope, depth, owner, token, holder, expiresAt } = lock
      const seconds = Math.max(Math.ceil((expiresAt - now) / 1000), 0)
      const shown = holder === key ? `<D:locktoken><D:href>${token}</D:href></D:locktoken>` : ''
      return (
        `<D:activelock><D:lockscope><D:${scope}/></D:lockscope>` +
        `<D:locktype><D:write/></D:locktype><D:depth>${depth}</D:depth>${owner}` +
        `<D:timeout>Second-${seconds}</D:timeout>${shown}` +
        `<D:lockroot><D:href>${hrefOfLock(exchange, lock)}</D:href></D:lockroot></D:activelock>`
      )
    })
    .join('')
}
