import { expect, it } from '@jest/globals'
import { accessStage } from '../../support/sending-peer.ts'
import { makeOld, migrations } from './old-database.ts'

const withoutTokens = migrations.findIndex(({ sql }) => sql.includes('`sealed_access_token`'))

it('a share received before there were columns for tokens goes on by password, then moves up', async () => {
  const discovery = { capabilities: ['http-sig'], tokenEndPoint: undefined }
  await using stage = await accessStage({ peer: { discovery } })
  const { server, sending, secret } = stage
  const basic = `Basic ${Buffer.from(`${secret}:`).toString('base64')}`
  sending.accepts.add(basic)
  await server.restart((path) => makeOld(path, withoutTokens))
  expect(stage.row()).toMatchObject({ state: 'accepted', auth_mode: null, access_retry_at: null })
  expect((await stage.ask()).status).toBe(207)
  expect(stage.row()).toMatchObject({ auth_mode: 'basic' })

  sending.accepts.delete(basic)
  sending.peer.changeDiscovery({
    capabilities: ['exchange-token', 'http-sig'],
    tokenEndPoint: `${sending.peer.url}/ocm/token`,
  })
  server.clock.advance('25h')
  expect((await stage.ask()).status).toBe(207)
  expect(stage.row()).toMatchObject({ auth_mode: 'exchange' })
})
