import { expect, it } from '@jest/globals'
import { createInFlight } from '../../../src/resources/in-flight.ts'
import type { Exchange } from '../../../src/webdav/exchange.ts'
import { receiving } from '../../../src/webdav/locks/enforce.ts'

const place = { treeId: 'usr-1', path: ['a'] }

/** As much of an exchange as locks are about, with nothing locked. */
function exchangeOf(inFlight: ReturnType<typeof createInFlight>): Exchange {
  const exchange = {
    principal: { kind: 'user', userId: place.treeId },
    settings: { resources: { ...inFlight, hasLocks: () => Promise.resolve(false) } },
  }
  return exchange as unknown as Exchange
}

it('who gave up on a body waits for nobody, though the rest of it still comes', async () => {
  const inFlight = createInFlight()
  let end = (): void => undefined
  const ended = new Promise<void>((resolve) => (end = resolve))
  async function* body(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one')
    await ended
  }
  let rest: Promise<unknown> = Promise.resolve()
  const work = receiving(exchangeOf(inFlight), [{ path: place.path }], body(), async (checked) => {
    const parts = checked[Symbol.asyncIterator]()
    await parts.next()
    rest = parts.next()
    throw new Error('the place would not take it')
  })
  await expect(work).rejects.toThrow('would not take it')
  end()
  await rest
  await inFlight.settled(place)
})
