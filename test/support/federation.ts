/** Several davmesh servers, each behind a network that fails on command. */
import { setImmediate as immediate } from 'node:timers/promises'
import type { OutboxEntry } from '../../src/outbox/index.ts'
import { fakeClock, type FakeClock } from './fake-clock.ts'
import { faultProxy, type FaultProxy } from './fault-proxy.ts'
import { request } from './http-request.ts'
import { startServer, type TestServer } from './start-server.ts'

/** A server as its peers see it: at the address of the proxy before it. */
export interface Member extends TestServer {
  /** Its one user: alice, bob, carol and so on. */
  readonly user: string
  /** An app password of the user. */
  readonly password: string
  /** OCM address of the user. */
  readonly address: string
  /** What its peers' requests go through. */
  readonly proxy: FaultProxy
}

export interface Federation extends AsyncDisposable {
  readonly members: readonly Member[]
  /** One for all, as signatures have it. */
  readonly clock: FakeClock
  /** Every network works again. */
  heal(): void
  close(): Promise<void>
}

const users = ['alice', 'bob', 'carol', 'dave', 'eve']

/** Who waits for an answer waits for real, so not for long. */
const timeoutMs = 700

/**
 * So many servers, each with a user who has `/Holiday/beach.txt`. What is owed is delivered when
 * `settle` or the test says so.
 */
export async function federation(
  size: number,
  config: Readonly<Record<string, unknown>> = {},
): Promise<Federation> {
  const clock = fakeClock()
  const members = await Promise.all(users.slice(0, size).map((user) => join(user, clock, config)))
  async function close(): Promise<void> {
    await Promise.all(members.map((member) => member.close()))
  }
  return {
    members,
    clock,
    heal: () => members.forEach(({ proxy }) => proxy.heal()),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function join(
  user: string,
  clock: FakeClock,
  config: Readonly<Record<string, unknown>>,
): Promise<Member> {
  const proxy = await faultProxy()
  const { url, authority } = proxy
  const settings = { outbound: { timeoutMs }, ...config, publicUrl: url }
  const server = await startServer({ clock, courier: false, config: settings })
  proxy.forwardTo(server.url)
  // Keys are made when they are first asked for, which takes longer than others wait.
  await request(`${url}/.well-known/ocm`)
  proxy.heal()
  const password = await server.addUser(user)
  await server.addFile(user, 'Holiday/beach.txt', 'sun and sand')
  async function close(): Promise<void> {
    await proxy.close()
    await server.close()
  }
  const address = `${user}@${authority}`
  return {
    ...server,
    url,
    authority,
    user,
    password,
    address,
    proxy,
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** More rounds than any back-off of these tests needs. */
const enough = 60

/**
 * Lets time pass until nobody owes anybody anything. Whom a final no was said to owes nothing more.
 *
 * @throws Error with what is still owed when it never ends.
 */
export async function settle(members: readonly TestServer[], clock: FakeClock): Promise<void> {
  for (let round = 0; round < enough; round += 1) {
    for (const member of members) await member.services().outbox.runDue()
    const waiting = await firstOwed(members)
    if (waiting.length === 0) return
    const next = Math.min(...waiting.map(({ nextAttemptAt }) => nextAttemptAt))
    clock.advance(`${Math.max(next - clock.now(), 1000)}ms`)
  }
  throw new Error(`still owed: ${JSON.stringify(await firstOwed(members), undefined, 2)}`)
}

/** Of each share only what is first, since the rest waits for it. */
async function firstOwed(members: readonly TestServer[]): Promise<OutboxEntry[]> {
  const lists = await Promise.all(members.map((member) => member.services().outbox.list()))
  return lists.flatMap((list) => {
    const waiting = list.filter(({ state }) => state !== 'refused')
    return waiting.filter(
      (entry, index) => waiting.findIndex(({ subject }) => subject === entry.subject) === index,
    )
  })
}

/** Waits until something came by. */
export async function seen(proxy: FaultProxy, path: string): Promise<void> {
  while (!proxy.passages.some((passage) => passage.path === path)) await immediate()
}
