import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { runCliHere } from '../support/cli-in-process.ts'
import { fakeClock } from '../support/fake-clock.ts'
import { independentPeer } from '../support/peer/independent-peer.ts'
import { addAlice } from '../support/share-with.ts'
import { startServer, type TestServer } from '../support/start-server.ts'

let ours: TestServer
let theirs: TestServer

beforeEach(async () => {
  // The commands run by the wall clock, so the servers beside them do too.
  const clock = fakeClock(Math.floor(Date.now() / 1000) * 1000)
  ours = await startServer({ clock })
  theirs = await startServer({ clock, config: { federation: { requireInvite: true } } })
  await addAlice(ours)
  for (const name of ['bob', 'carol']) await theirs.addUser(name)
})

afterEach(async () => {
  await Promise.all([ours.close(), theirs.close()])
})

const give = (recipient: string, ...more: string[]) =>
  runCliHere(
    ['--config', ours.configFile, 'share', 'create', 'alice', '/Holiday', recipient, ...more],
    ours.dir,
  )

/** Nothing was stored, and nothing asked but what the other server is. */
async function expectRefused(recipient: string): Promise<void> {
  const before = ours.outboundCalls()
  const { code, out, err } = await give(recipient, '--json')
  expect([code, out]).toEqual([1, ''])
  expect(err).toContain('[invite_required]')
  expect(err).toContain(`exchange an invite with ${recipient} first`)
  expect(ours.outboundCalls() - before).toBeLessThanOrEqual(2)
  expect(await ours.services().shares.listShares()).toEqual([])
  expect(await ours.services().outbox.list()).toEqual([])
  expect(await theirs.services().incoming.list()).toEqual([])
}

describe('a server that takes shares from contacts only', () => {
  it('is given none before an invite was exchanged, and then this person’s', async () => {
    const bob = `bob@${theirs.authority}`
    await expectRefused(bob)
    const { invite } = await theirs.services().invites.create('bob')
    await ours.services().invites.accept('alice', invite)
    await expectRefused(`carol@${theirs.authority}`)
    const given = await give(bob, '--json')
    expect([given.code, given.err]).toEqual([0, ''])
    expect(JSON.parse(given.out)).toMatchObject({ state: 'sent', recipient: bob })
    expect(await theirs.services().incoming.list()).toMatchObject([
      { user: 'bob', sender: `alice@${ours.authority}`, state: 'accepted' },
    ])
  })

  it('is given none once the contact was removed, whichever side invited', async () => {
    const { invite } = await ours.services().invites.create('alice')
    await theirs.services().invites.accept('bob', invite)
    const bob = `bob@${theirs.authority}`
    await ours.services().contacts.remove('alice', bob)
    await expectRefused(bob)
  })

  it('refuses what is sent in spite of that: whoever it is, in one sentence', async () => {
    await using peer = await independentPeer()
    const send = async (user: string) => {
      const address = `somebody@${peer.host}`
      const shared = {
        ...{ shareWith: `${user}@${theirs.authority}`, name: 'x', providerId: user },
        ...{ owner: address, sender: address, shareType: 'user', resourceType: 'file' },
        protocol: { name: 'multi', webdav: { uri: 'x', sharedSecret: 'geheim' } },
      }
      const { status, text } = await peer.offer(theirs, shared)
      return [status, text]
    }
    const [bob, nobody] = [await send('bob'), await send('nobody')]
    expect(bob[0]).toBe(403)
    expect(nobody).toEqual(bob)
  })

  it.each(['must-invite', 'invite', 'INVITE'])('may call it %s', async (criterion) => {
    await using peer = await independentPeer({ discovery: { criteria: [criterion] } })
    await expectRefused(`bob@${peer.host}`)
    expect(peer.shares).toEqual([])
  })
})
