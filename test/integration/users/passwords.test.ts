import { describe, expect, it } from '@jest/globals'
import { basic, davClient } from '../../support/dav-client.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

const login = async (server: TestServer, password: string) =>
  (await davClient(`${server.url}/dav/files/alice/`, basic('alice', password)).propfind()).status

describe('passwords of a user', () => {
  it('are shown without anything that opens anything', async () => {
    await using server = await startServer()
    const password = await server.addUser('alice')
    const shown = await server.services().users.listPasswords('alice')
    expect(shown).toMatchObject([{ label: 'first', kind: 'generated', expiresAt: null }])
    expect(Object.keys(shown[0] ?? {})).not.toContain('hash')
    expect(JSON.stringify(shown)).not.toContain(password)
  })

  it('stop working on the next request after they are revoked', async () => {
    await using server = await startServer()
    const { users } = server.services()
    const password = await server.addUser('alice')
    const other = (await users.addAppPassword('alice', { label: 'phone' })).password
    expect([await login(server, password), await login(server, other)]).toEqual([207, 207])
    const first = (await users.listPasswords('alice')).find(({ label }) => label === 'first')
    await users.revokePassword('alice', first?.id ?? '')
    expect([await login(server, password), await login(server, other)]).toEqual([401, 207])
    const again = users.revokePassword('alice', first?.id ?? '')
    await expect(again).rejects.toMatchObject({ code: 'password_not_found' })
  })

  it('are replaced when a person chooses another, also while the old one is remembered', async () => {
    await using server = await startServer()
    const { users } = server.services()
    await users.addUser({ username: 'alice', password: 'the first choice' })
    expect(await login(server, 'the first choice')).toBe(207)
    await users.setPassword('alice', 'the second choice')
    expect(await login(server, 'the first choice')).toBe(401)
    expect(await login(server, 'the second choice')).toBe(207)
    expect(await users.listPasswords('alice')).toHaveLength(1)
  })
})

describe('the home of a user', () => {
  it.each(['.', 'data', 'data/files/alice', 'data/files/alice/deeper', 'data/files'])(
    'is refused at %s, where the server’s data or another home would be inside',
    async (place) => {
      await using server = await startServer()
      await server.addUser('alice')
      const home = `${server.dir}/${place}`
      const added = server.services().users.addUser({ username: 'bob', home })
      await expect(added).rejects.toMatchObject({ code: 'bad_home' })
      expect(await server.services().users.countUsers()).toBe(1)
    },
  )
})
