import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, type PeerCertificate } from 'node:tls'
import { makeCertificates, type Certificates } from './support/certificates.ts'
import { httpsClient, type HttpsClient } from './support/https-client.ts'
import { freePort, startDavmesh, type Davmesh } from './support/davmesh.ts'
import { hasFront, startFront, type Front, type FrontName } from './support/front.ts'
import { mustRun, newFolder, requireTools } from './support/tools.ts'

jest.setTimeout(180_000)

const mib = 1024 * 1024
const xml = { 'Content-Type': 'application/xml' }

/** A davmesh as the world sees it: by https, in production mode. */
interface Site {
  readonly davmesh: Davmesh
  readonly url: string
  readonly home: string
  readonly password: string
}

const fronts = ['nginx', 'apache', 'caddy', 'TLS of its own'] as const
const isHere = (name: (typeof fronts)[number]): boolean => name !== 'caddy' || hasFront(name)

describe.each(fronts.filter(isHere))('two servers behind %s', (name) => {
  const itself = name === 'TLS of its own'
  const behindProxy = itself ? it.skip : it
  const withoutProxy = itself ? it : it.skip
  /** It is slow, and the others stream as well. */
  const takes1GiB = name === 'nginx' || name === 'apache' ? it : it.skip

  let folder: string
  let certificates: Certificates
  let front: Front | undefined
  let alice: Site
  let bob: Site
  let client: HttpsClient

  /** Makes the server first: the front needs to know its port. */
  async function site(user: string, port: number): Promise<Site> {
    const url = `https://localhost:${port}`
    const tls = { certFile: certificates.certificate, keyFile: certificates.key }
    const own = itself ? { listen: { host: '127.0.0.1', port, tls } } : {}
    const settings = {
      ...{ publicUrl: url, dev: false, outbound: { allowPrivateNetworks: true } },
      ...{ trustProxy: ['127.0.0.1'], limits: { login: { failures: 3 } }, ...own },
    }
    const env = { NODE_EXTRA_CA_CERTS: certificates.authority }
    const davmesh = await startDavmesh(settings, { server: env, commands: env })
    const password = await davmesh.addUser(user)
    const home = join(davmesh.dataDir, 'files', user)
    mkdirSync(join(home, 'Holiday'), { recursive: true })
    return { davmesh, url, home, password }
  }

  const backendOf = ({ davmesh }: Site): string => {
    const [, address = ''] = /listening on ([^\s,]+)/.exec(davmesh.banner) ?? []
    return address
  }

  beforeAll(async () => {
    requireTools('nginx', 'apache2', 'openssl', 'curl')
    folder = newFolder()
    certificates = await makeCertificates(folder)
    const ports = [await freePort(), await freePort()] as const
    alice = await site('alice', ports[0])
    bob = await site('bob', ports[1])
    if (name !== 'TLS of its own') {
      const passages = [alice, bob].map((one, index) => ({
        port: ports[index] ?? 0,
        backend: backendOf(one),
      }))
      front = await startFront(name satisfies FrontName, folder, passages, certificates)
    }
    client = httpsClient(certificates.authority)
  })

  afterAll(async () => {
    await client.close()
    await front?.stop()
    await Promise.all([alice.davmesh.stop(), bob.davmesh.stop()])
    rmSync(folder, { recursive: true, force: true })
  })

  const asAlice = (method: string, path: string, more: Parameters<HttpsClient['ask']>[2] = {}) =>
    client.ask(method, `${alice.url}/dav/files/alice/${path}`, {
      ...more,
      login: ['alice', alice.password],
    })

  it('are discovered, share, and exchange tokens, with a port in publicUrl', async () => {
    writeFileSync(join(alice.home, 'Holiday', 'beach.txt'), 'sun and sand')
    const discovery = await client.ask('GET', `${alice.url}/.well-known/ocm`)
    expect(JSON.parse(discovery.text)).toHaveProperty('endPoint', `${alice.url}/ocm`)
    const address = `bob@${new URL(bob.url).host}`
    const share = await alice.davmesh.cli<{ state: string }>(
      ...['share', 'create', 'alice', '/Holiday', address],
      ...['--permissions', 'read,write', '--strict'],
    )
    expect(share.state).toBe('sent')
    const [received] = await bob.davmesh.cli<{ id: string }[]>('received', 'list')
    await bob.davmesh.cli('received', 'accept', received?.id ?? '')
    const login = ['bob', bob.password] as const
    const mount = `${bob.url}/dav/files/bob/Shared/Holiday/`
    const read = await client.ask('GET', `${mount}beach.txt`, { login })
    expect([read.status, read.text]).toEqual([200, 'sun and sand'])
    const written = await client.ask('PUT', `${mount}bob.txt`, { login, body: 'from bob' })
    expect(written.status).toBe(201)
    expect((await asAlice('GET', 'Holiday/bob.txt')).text).toBe('from bob')
    // The share is strict: it was an access token that opened it.
    expect(await alice.davmesh.cli<unknown[]>('token', 'list')).toHaveLength(1)
  })

  it('keep every WebDAV method, and names in paths and Destination as they were sent', async () => {
    const folderName = encodeURIComponent('100% sure #1 äöü ?')
    const from = `${folderName}/a%25b%20c.txt`
    const to = `${folderName}/moved%3B%20%26%2B.txt`
    const statusOf = async (...ask: Parameters<typeof asAlice>) => (await asAlice(...ask)).status
    const Destination = `${alice.url}/dav/files/alice/${to}`
    expect(await statusOf('MKCOL', `${folderName}/`)).toBe(201)
    expect(await statusOf('PUT', from, { body: 'x' })).toBe(201)
    expect(await statusOf('HEAD', from)).toBe(200)
    expect(await statusOf('GET', from, { headers: { Range: 'bytes=0-0' } })).toBe(206)
    const headers = { Destination, Overwrite: 'F' }
    expect(await statusOf('COPY', from, { headers })).toBe(201)
    expect(await statusOf('COPY', from, { headers })).toBe(412)
    expect(await statusOf('MOVE', from, { headers: { Destination } })).toBe(204)
    expect(await statusOf('GET', from)).toBe(404)
    const prop = '<D:set><D:prop><x xmlns="urn:x">1</x></D:prop></D:set>'
    const update = `<D:propertyupdate xmlns:D="DAV:">${prop}</D:propertyupdate>`
    expect(await statusOf('PROPPATCH', to, { body: update, headers: xml })).toBe(207)
    const wish = '<D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>'
    const locked = await asAlice('LOCK', to, {
      headers: xml,
      body: `<D:lockinfo xmlns:D="DAV:">${wish}</D:lockinfo>`,
    })
    expect(locked.status).toBe(200)
    expect(await statusOf('PUT', to, { body: 'y' })).toBe(423)
    const token = locked.headers['lock-token'] ?? ''
    expect(await statusOf('PUT', to, { body: 'y', headers: { If: `(${token})` } })).toBe(204)
    expect(await statusOf('UNLOCK', to, { headers: { 'Lock-Token': token } })).toBe(204)
    const listing = await asAlice('PROPFIND', `${folderName}/`, { headers: { Depth: '1' } })
    expect(listing.status).toBe(207)
    expect(readdirSync(join(alice.home, '100% sure #1 äöü ?'))).toEqual(['moved; &+.txt'])
    expect(await statusOf('OPTIONS', '')).toBe(200)
    expect(await statusOf('DELETE', `${folderName}/`)).toBe(204)
  })

  it('stream an upload: its beginning is here before its end was sent', async () => {
    const sizeHere = (): number =>
      Math.max(
        0,
        ...readdirSync(alice.home)
          .filter((entry) => entry.startsWith('.davmesh-'))
          .map((entry) => statSync(join(alice.home, entry), { throwIfNoEntry: false })?.size ?? 0),
      )
    for (const headers of [{ 'Content-Length': String(16 * mib) }, {}]) {
      const body = async function* () {
        yield Buffer.alloc(15 * mib)
        while (sizeHere() < mib) await new Promise((done) => setTimeout(done, 20))
        yield Buffer.alloc(mib)
      }
      const { status } = await asAlice('PUT', 'streamed.bin', { body: body(), headers })
      expect([201, 204]).toContain(status)
      expect(statSync(join(alice.home, 'streamed.bin')).size).toBe(16 * mib)
    }
    expect(front?.hasSpooled() ?? false).toBe(false)
  })

  takes1GiB('take more than 1 GiB, which nothing on the way puts into a file', async () => {
    const large = join(folder, 'large.bin')
    // A byte more than Apache takes by itself.
    await mustRun('truncate', ['-s', String(1024 * mib + 1), large])
    const target = join(alice.home, 'large.bin')
    await mustRun(
      'curl',
      [
        ...['--silent', '--show-error', '--fail-with-body', '--config', '-'],
        ...['--cacert', certificates.authority, '--upload-file', large],
        `${alice.url}/dav/files/alice/large.bin`,
      ],
      { input: `basic\nuser = "alice:${alice.password}"\n` },
    )
    expect(statSync(target).size).toBe(1024 * mib + 1)
    rmSync(target)
    expect(front?.hasSpooled() ?? false).toBe(false)
  })

  behindProxy('tell davmesh who asks, and only they are believed', async () => {
    const far = httpsClient(certificates.authority, '127.0.0.2')
    const wrong = ['alice', 'wrong'] as const
    const ask = async (forged: string, through = client) =>
      (
        await through.ask('PROPFIND', `${alice.url}/dav/files/alice/`, {
          login: wrong,
          headers: { 'X-Forwarded-For': forged, Depth: '0' },
        })
      ).status
    // 127.0.0.2 is no trusted proxy: whatever it says of itself, it is one client.
    for (const time of [1, 2, 3])
      expect([time, await ask(`203.0.113.${time}`, far)]).toEqual([time, 401])
    expect(await ask('203.0.113.4', far)).toBe(429)
    await far.close()
    // The others still come in.
    expect((await asAlice('PROPFIND', '', { headers: { Depth: '0' } })).status).toBe(207)
  })

  withoutProxy('serve a renewed certificate without a restart', async () => {
    const before = await certificateOf(alice.url)
    await certificates.renew()
    process.kill(alice.davmesh.pid, 'SIGHUP')
    while ((await certificateOf(alice.url)).serialNumber === before.serialNumber) {
      await new Promise((done) => setTimeout(done, 50))
    }
    writeFileSync(certificates.certificate, 'no certificate')
    process.kill(alice.davmesh.pid, 'SIGHUP')
    while (!alice.davmesh.readLog().includes('certificate cannot be used')) {
      await new Promise((done) => setTimeout(done, 50))
    }
    expect((await client.ask('GET', `${alice.url}/healthz`)).status).toBe(200)
  })

  function certificateOf(url: string): Promise<PeerCertificate> {
    const { port } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: Number(port), rejectUnauthorized: false })
      socket.on('error', reject).on('secureConnect', () => {
        resolve(socket.getPeerCertificate())
        socket.destroy()
      })
    })
  }
})

const absent = fronts.filter((name) => !isHere(name))
if (absent.length > 0) {
  it.skip(`NOT TRIED HERE, because it is not installed: ${absent.join(', ')}`, () => undefined)
}
