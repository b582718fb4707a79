import { describe, expect, it } from '@jest/globals'
import { loadConfig } from '../../../src/config/index.ts'
import { createApp } from '../../../src/create-app.ts'
import { routeTable } from '../../../src/app.ts'
import { routeName } from '../../../src/metrics/index.ts'
import { basic, bearer, davClient } from '../../support/dav-client.ts'
import { request } from '../../support/http-request.ts'
import { independentPeer } from '../../support/peer/independent-peer.ts'
import { leaksIn } from '../../support/secrets.ts'
import { addAlice, shareWith } from '../../support/share-with.ts'
import { startServer, type TestServer } from '../../support/start-server.ts'

/** Asks until the end of a request, which comes after its answer, has been counted. */
async function metricsWith(server: TestServer, line: string | RegExp): Promise<string> {
  for (;;) {
    const text = await server.services().metrics.text()
    if (typeof line === 'string' ? text.includes(`${line}\n`) : line.test(text)) return text
    await new Promise((done) => setTimeout(done, 20))
  }
}

describe('metrics', () => {
  it('count a whole life of a share, and name nobody', async () => {
    await using server = await startServer()
    await using peer = await independentPeer()
    const password = await addAlice(server)
    const { id, secret } = await shareWith(server, peer, { mode: 'strict' })
    const token = await peer.exchange(server, secret)
    await davClient(`${server.url}/dav/ocm/`, bearer(token)).get('beach.txt')
    await davClient(`${server.url}/dav/ocm/`, bearer(`${token}x`)).get('beach.txt')
    await davClient(`${server.url}/dav/files/alice/`, basic('alice', password)).propfind('', '1')
    await davClient(`${server.url}/dav/files/alice/`, basic('alice', 'wrong')).propfind('', '1')
    await request(`${server.url}/ocm/shares`, { method: 'POST', body: '{}' })
    await server.services().jobs.run('expire-locks')

    const text = await metricsWith(
      server,
      'davmesh_http_requests_total{route="shares",method="POST",status="415"} 1',
    )
    for (const line of [
      'davmesh_http_requests_total{route="token",method="POST",status="200"} 1',
      'davmesh_http_requests_total{route="dav-ocm",method="GET",status="200"} 1',
      'davmesh_http_requests_total{route="dav-ocm",method="GET",status="401"} 1',
      'davmesh_http_requests_total{route="dav-files",method="PROPFIND",status="207"} 1',
      'davmesh_token_exchanges_total{outcome="issued",reason=""} 1',
      'davmesh_signature_verifications_total{outcome="verified",reason=""} 1',
      'davmesh_outbox_attempts_total{kind="share",outcome="delivered"} 1',
      'davmesh_outbox_entries{state="waiting"} 0',
      'davmesh_outgoing_shares{state="sent"} 1',
      'davmesh_access_tokens_live 1',
      'davmesh_breakers_open 0',
      'davmesh_job_failing{job="expire-locks"} 0',
      'davmesh_events_total{event="share.created"} 1',
      'davmesh_events_total{event="token.revoked"} 0',
    ]) {
      expect(text.split('\n')).toContain(line)
    }
    expect(text).toMatch(/davmesh_credentials_refused_total\{plugin="basic-app-password",/)
    expect(text).toMatch(/davmesh_http_sent_bytes_total\{route="dav-ocm",method="GET"\} [1-9]/)
    for (const name of ['alice', 'bob', 'beach', peer.host, id]) expect(text).not.toContain(name)
    expect(leaksIn(text, [...server.secrets, token])).toEqual([])
  })

  it('show what is owed, how old it is, and who is left alone', async () => {
    await using server = await startServer({ courier: false })
    await using peer = await independentPeer()
    await addAlice(server)
    await shareWith(server, peer)
    await peer.close()
    const [share] = await server.services().shares.listShares()
    await server.services().shares.revokeShare(share?.id ?? '')
    server.clock.advance('20s')
    const text = await server.services().metrics.text()
    expect(text).toContain('davmesh_outbox_entries{state="waiting"} 1\n')
    expect(text).toContain('davmesh_outbox_oldest_seconds 20\n')
    for (let i = 0; i < 8; i++) {
      server.clock.advance('2h')
      await server.services().outbox.runDue()
    }
    await metricsWith(server, 'davmesh_breakers_open 1')
  })

  it('have a name for every route of the table', async () => {
    await using server = await startServer()
    const names = routeTable(server.services()).flatMap(({ paths }) => paths.map(routeName))
    expect(names).not.toContain('other')
    expect(names).not.toContain('dav')
  })

  it('are read from the admin listener alone, and never stored', async () => {
    await using other = await startServer()
    const listen = { host: '127.0.0.1', port: 0 }
    const dataDir = `${other.dir}/second`
    const config = loadConfig({ file: other.configFile, environment: {}, flags: { dataDir } })
    await using app = await createApp(
      { ...config, listen, admin: { listen } },
      { log: other.log.log },
    )
    const { address, adminAddress } = await app.start()
    expect((await request(`http://${address}/metrics`)).status).toBe(404)
    const answer = await request(`http://${adminAddress ?? ''}/metrics`)
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/)
    expect(answer.headers['cache-control']).toBe('no-store')
    for (const name of [
      'process_resident_memory_bytes',
      'process_open_fds',
      'process_cpu_seconds_total',
      'nodejs_eventloop_lag_p99_seconds',
      'davmesh_database_bytes',
    ]) {
      expect(answer.text).toMatch(new RegExp(`^${name} \\d`, 'm'))
    }
    for (const path of ['/healthz', '/readyz']) {
      for (const host of [address, adminAddress ?? '']) {
        const said = await request(`http://${host}${path}`)
        expect([path, said.status, said.headers['cache-control']]).toEqual([path, 200, 'no-store'])
      }
    }
    expect((await request(`http://${adminAddress ?? ''}/dav/files/`)).status).toBe(404)
  })
})
