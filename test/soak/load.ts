import { basic, davClient } from '../support/dav-client.ts'
import { request, type Answer } from '../support/http-request.ts'
import type { SoakStage } from './stage.ts'

/** How a kind of request is answered. */
export interface Tally {
  requests: number
  /** By first digit of the status. */
  readonly classes: Record<string, number>
  /** 5xx, and connections that broke, that nothing of ours was meant to cause. */
  readonly unexpected: string[]
}

type Send = (stage: SoakStage, chance: (count: number) => number) => Promise<Answer>

interface Kind {
  readonly name: string
  /** Out of a hundred. */
  readonly share: number
  readonly send: Send
  /** Its answer depends on the peer that comes and goes. */
  readonly needsPeer?: boolean
  /** Nothing in the load is a reason to refuse it. */
  readonly isDue?: boolean
}

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype></D:lockinfo>'

const markBody =
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
  '<x:was xmlns:x="urn:x">here</x:was></D:prop></D:set></D:propertyupdate>'

const xml = { 'content-type': 'text/xml' }

/** The names stay the same, so that nothing that grows is ours. */
const home = (chance: (count: number) => number): string => `work${chance(20)}.txt`
const given = (chance: (count: number) => number): string => `f${chance(20)}.txt`

async function lockAndUnlock(stage: SoakStage, path: string): Promise<Answer> {
  const headers = { ...xml, timeout: 'Second-30' }
  const locked = await stage.alice.call('LOCK', path, { headers, body: lockBody })
  const token = locked.headers['lock-token']
  // Every other lock is left to end by itself.
  if (token === undefined || token.charCodeAt(12) % 2 === 0) return locked
  return stage.alice.call('UNLOCK', path, { headers: { 'lock-token': token } })
}

let lastToken = ''

async function exchange(stage: SoakStage): Promise<Answer> {
  const answer = await stage.askToken()
  if (answer.status === 200) lastToken = String(answer.json()['access_token'])
  return answer
}

const faulty: readonly Send[] = [
  (stage) => davClient(stage.alices.url, basic('nobody', 'wrong')).get('/dav/files/nobody/'),
  (stage) => stage.shared('no.such.token').get('f1.txt'),
  (stage) => stage.alice.call('PROPFIND', '', { headers: { ...xml, depth: '0' }, body: '<a' }),
  (stage) => stage.alice.call('LOCK', 'x', { headers: xml, body: '<!DOCTYPE a><a/>' }),
  (stage) => request(`${stage.alices.url}/dav/files/alice/`, { target: '/dav/files/alice/%zz' }),
  (stage) =>
    stage.peer.tell({ url: stage.alices.url, clock: { seconds: () => 1 } }, '/ocm/shares', {}),
  (stage) => stage.alice.get('there-is-none.txt'),
]

const kinds: readonly Kind[] = [
  { name: 'GET', share: 25, send: (stage, chance) => stage.alice.get(home(chance)) },
  { name: 'PROPFIND', share: 15, send: (stage) => stage.alice.propfind('', '1') },
  {
    name: 'PUT',
    share: 14,
    send: (stage, chance) => stage.alice.put(home(chance), 'x'.repeat(1 + chance(200_000))),
  },
  {
    name: 'MOVE',
    share: 8,
    send: (stage, chance) =>
      stage.alice.copyOrMove('MOVE', home(chance), `/dav/files/alice/${home(chance)}`),
  },
  { name: 'LOCK', share: 6, send: (stage, chance) => lockAndUnlock(stage, home(chance)) },
  {
    name: 'PROPPATCH',
    share: 3,
    send: (stage, chance) => stage.alice.proppatch(home(chance), markBody),
  },
  { name: 'exchange', share: 5, send: exchange, needsPeer: true, isDue: true },
  {
    name: 'GET by token',
    share: 7,
    send: (stage, chance) => stage.shared(lastToken).get(given(chance)),
  },
  {
    name: 'GET in a mount',
    share: 6,
    isDue: true,
    send: (stage, chance) => stage.bob.get(`Shared/Trip/${given(chance)}`),
  },
  {
    name: 'PROPFIND in a mount',
    share: 4,
    isDue: true,
    send: (stage) => stage.bob.propfind('Shared/Trip/', '1'),
  },
  {
    name: 'PUT in a mount',
    share: 2,
    isDue: true,
    send: (stage, chance) =>
      stage.bob.put(`Shared/Trip/${given(chance)}`, 'y'.repeat(chance(50_000))),
  },
  {
    name: 'faulty',
    share: 5,
    send: (stage, chance) => (faulty[chance(faulty.length)] ?? exchange)(stage, chance),
  },
]

/** One request after the other, so many a second, whatever becomes of them. */
export function createLoad(stage: SoakStage, chance: (count: number) => number) {
  const tallies = new Map<string, Tally>()
  const running = new Set<Promise<void>>()

  function draw(): Kind {
    let left = chance(100)
    for (const kind of kinds) {
      left -= kind.share
      if (left < 0) return kind
    }
    throw new Error('the shares are not a hundred')
  }

  async function send({ name, send, needsPeer = false, isDue = false }: Kind): Promise<void> {
    const tally = tallies.get(name) ?? { requests: 0, classes: {}, unexpected: [] }
    tallies.set(name, tally)
    tally.requests += 1
    let end: string
    try {
      const { status, text } = await send(stage, chance)
      end = `${Math.floor(status / 100)}xx`
      const isRefused = status >= 400 && status < 500
      if ((status >= 500 && !needsPeer) || (isDue && isRefused))
        tally.unexpected.push(`${status} ${text.slice(0, 200)}`)
    } catch (error) {
      end = 'broken'
      tally.unexpected.push(String(error))
    }
    tally.classes[end] = (tally.classes[end] ?? 0) + 1
  }

  return {
    tallies,
    begin(): void {
      const one = send(draw()).finally(() => running.delete(one))
      running.add(one)
    },
    /** Waits for what was begun. */
    async end(): Promise<void> {
      await Promise.all(running)
    },
  }
}
