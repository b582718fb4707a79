import { describe, expect, it } from '@jest/globals'
import { basic, davClient } from '../../support/dav-client.ts'
import type { Answer } from '../../support/http-request.ts'
import { expectInvariants } from '../../support/invariants.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const login = (
  server: TestServer,
  password: string,
  headers: Record<string, string> = {},
  user = 'alice',
) =>
  davClient(`${server.url}/dav/files/${user}/`, basic(user, password)).call('PROPFIND', '', {
    headers: { depth: '0', ...headers },
  })

async function fail(server: TestServer, times: number, user = 'alice'): Promise<Answer[]> {
  const answers: Answer[] = []
  for (let count = 0; count < times; count++) {
    answers.push(await login(server, 'wrong-password', {}, user))
  }
  return answers
}

/** All that a stranger could compare; date and request id differ by nature. */
const visible = ({ status, headers, text }: Answer) => {
  const { date: _date, 'x-request-id': _id, ...others } = headers
  return { status, headers: others, text }
}

describe('logging in (robustness I)', () => {
  it('I1 answers alike for an unknown user, a disabled one and a wrong password', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    await server.services().users.addUser({ username: 'carol', password: 'a chosen password' })
    await server.services().users.addUser({ username: 'dora' })
    await server.services().users.disableUser('dora')
    const allowed = { mayChange: ['login_failures'] }
    const answers = await expectInvariants(
      server,
      async () => {
        const all: Answer[] = []
        for (const user of ['alice', 'carol', 'dora', 'nobody'])
          all.push(...(await fail(server, 1, user)))
        return all
      },
      allowed,
    )
    const [first, ...others] = answers.map(visible)
    expect(first?.status).toBe(401)
    for (const other of others) expect(other).toEqual(first)
    expect((await login(server, password)).status).toBe(207)
    expect((await login(server, 'a chosen password', {}, 'carol')).status).toBe(207)
  })

  it('I2 refuses after ten failures even the right password, with Retry-After', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    const tries = await fail(server, 10)
    expect(tries.map(({ status }) => status)).toEqual(Array(10).fill(401))
    const [refused] = await expectInvariants(server, () => login(server, password))
    expect(refused?.status).toBe(429)
    expect(Number(refused?.headers['retry-after'])).toBe(300)
  })

  it('I2 still refuses after a restart, and no longer when the window has ended', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    await fail(server, 10)
    await server.restart()
    expect((await login(server, password)).status).toBe(429)
    server.clock.advance('299s')
    expect((await login(server, password)).headers['retry-after']).toBe('1')
    server.clock.advance('1s')
    expect((await login(server, password)).status).toBe(207)
  })

  it('I2 counts for each user, and a success forgives', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    const bob = await server.addUser('bob')
    await fail(server, 9)
    expect((await login(server, password)).status).toBe(207)
    await fail(server, 9)
    expect((await login(server, password)).status).toBe(207)
    await fail(server, 10)
    expect((await login(server, bob, {}, 'bob')).status).toBe(207)
  })

  it('I2 limits are configurable', async () => {
    const limits = { login: { failures: 2, windowSeconds: 60 } }
    await using server = await startServer({ config: { limits } })
    const password = await server.addUser('alice')
    await fail(server, 2)
    expect((await login(server, password)).headers['retry-after']).toBe('60')
  })

  it('waits twice as long each time within a day, at most an hour, over restarts', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    const waits: string[] = []
    for (let time = 0; time < 6; time++) {
      await fail(server, 10)
      await server.restart()
      const wait = (await login(server, password)).headers['retry-after'] ?? ''
      waits.push(wait)
      server.clock.advance(`${Number(wait)}s`)
    }
    expect(waits).toEqual(['300', '600', '1200', '2400', '3600', '3600'])
    server.clock.advance('1d')
    await fail(server, 10)
    expect((await login(server, password)).headers['retry-after']).toBe('300')
  })

  it('begins anew after a success', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    await fail(server, 10)
    server.clock.advance('300s')
    await fail(server, 1)
    expect((await login(server, password)).status).toBe(207)
    await fail(server, 10)
    expect((await login(server, password)).headers['retry-after']).toBe('300')
  })

  it('counts an address over all names, over a restart, whatever it can log in as', async () => {
    const limits = { login: { addressFailures: 5 } }
    await using server = await startServer({ config: { limits, trustProxy: ['127.0.0.1'] } })
    const password = await server.addUser('alice')
    const from = (address: string) => ({ 'x-forwarded-for': address })
    const guess = (name: string, host: number) =>
      login(server, 'wrong-password', from(`2001:db8:1:2::${host}`), name)
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
      expect((await guess(name, index)).status).toBe(401)
      expect((await login(server, password, from('2001:db8:1:2::7'))).status).toBe(207)
    }
    expect((await guess('e', 8)).status).toBe(401)
    await server.restart()
    const refused = await login(server, password, from('2001:db8:1:2::9'))
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '300'])
    expect((await login(server, password, from('2001:db8:1:3::9'))).status).toBe(207)
    server.clock.advance('300s')
    expect((await login(server, password, from('2001:db8:1:2::9'))).status).toBe(207)
  })

  it('I4 is not dodged by a forged X-Forwarded-For or Forwarded', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    for (let count = 0; count < 10; count++) {
      const address = `203.0.113.${count}`
      const forged = {
        'x-forwarded-for': address,
        forwarded: `for=${address}`,
        'x-real-ip': address,
      }
      expect((await login(server, 'wrong-password', forged)).status).toBe(401)
    }
    const forged = { 'x-forwarded-for': '203.0.113.99' }
    expect((await login(server, password, forged)).status).toBe(429)
  })

  it('believes X-Forwarded-For of a proxy named in trustProxy, and counts by it (S38)', async () => {
    await using server = await startServer({ config: { trustProxy: ['127.0.0.1'] } })
    const password = await server.addUser('alice')
    const from = (address: string) => ({ 'x-forwarded-for': address })
    for (let count = 0; count < 10; count++) {
      await login(server, 'wrong-password', from('203.0.113.7'))
    }
    expect((await login(server, password, from('203.0.113.7'))).status).toBe(429)
    expect((await login(server, password, from('203.0.113.8'))).status).toBe(207)
    // What the client itself put in front is not the proxy's word.
    expect((await login(server, password, from('203.0.113.8, 203.0.113.7'))).status).toBe(429)
  })

  it('refuses a password beyond 1 KiB like any wrong one, and never keeps any in the log', async () => {
    await using server = await startServer()
    await server.addUser('alice')
    const long = 'x'.repeat(2000)
    server.secrets.add('x'.repeat(1000))
    const ask = () => login(server, long)
    const [answer] = await expectInvariants(server, ask, { mayChange: ['login_failures'] })
    expect(answer?.status).toBe(401)
  })

  it('answers 401 to a user name that could be a refresh token but is none', async () => {
    await using server = await startServer()
    await server.addUser('alice')
    const answer = await davClient(
      `${server.url}/dav/files/alice/`,
      basic('A'.repeat(43), ''),
    ).get()
    expect(answer.status).toBe(401)
  })
})

describe('checking passwords', () => {
  it('answers 40 requests at once with a password it has just verified', async () => {
    const limits = { login: { failures: 1000, windowSeconds: 60 } }
    await using server = await startServer({ config: { limits } })
    await server.services().users.addUser({ username: 'carol', password: 'a chosen password' })
    const right = await login(server, 'a chosen password', {}, 'carol')
    expect(right.status).toBe(207)
    // Verified a moment ago: these cost no hash.
    const many = Array.from({ length: 40 }, () => login(server, 'a chosen password', {}, 'carol'))
    expect((await Promise.all(many)).map(({ status }) => status)).toEqual(Array(40).fill(207))
  })

  it('forgets a verified password with the user', async () => {
    await using server = await startServer()
    const { users } = server.services()
    await users.addUser({ username: 'carol', password: 'a chosen password' })
    expect((await login(server, 'a chosen password', {}, 'carol')).status).toBe(207)
    await users.disableUser('carol')
    expect((await login(server, 'a chosen password', {}, 'carol')).status).toBe(401)
    await users.enableUser('carol')
    expect((await login(server, 'a chosen password', {}, 'carol')).status).toBe(207)
    await users.removeUser('carol')
    expect((await login(server, 'a chosen password', {}, 'carol')).status).toBe(401)
  })
})
