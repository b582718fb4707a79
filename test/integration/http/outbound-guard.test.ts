import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import {
  createGuardedClient,
  type GuardedClient,
  type GuardedClientOptions,
} from '../../../src/http/index.ts'
import { refuseUnchecked } from '../../../src/http/outbound/connector.ts'
import {
  captureLog,
  makeCertificate,
  startRaw,
  type RawServer,
  type ThrowAwayCertificate,
} from './support.ts'

const answers = (addresses: readonly string[]) => ({ lookup: () => Promise.resolve(addresses) })

describe('where the guarded client may go (robustness H1, H2)', () => {
  let client: GuardedClient | undefined
  let listener: RawServer
  let listener6: RawServer
  beforeAll(async () => {
    const greet = (socket: Socket): void =>
      void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    listener = await startRaw(greet)
    listener6 = await startRaw(greet, '::1')
  })
  afterEach(() => client?.close())
  afterAll(() => Promise.all([listener.close(), listener6.close()]))

  const { log, lines } = captureLog()
  const call = (url: string, options: Partial<GuardedClientOptions> = {}) => {
    client = createGuardedClient({ log, allowHttp: true, ...options })
    return client.request({
      method: 'GET',
      url: url.replace('PORT', String(listener.port)).replace('SIX', String(listener6.port)),
    })
  }
  const nobodyCame = (): void => {
    expect([listener.connections(), listener6.connections()]).toEqual([0, 0])
  }

  it.each([
    'http://127.0.0.1:PORT/',
    'http://127.1:PORT/',
    'http://2130706433:PORT/',
    'http://0x7f.1:PORT/',
    'http://0x7f000001:PORT/',
    'http://0177.0.0.1:PORT/',
    'http://127.0.0.1.:PORT/',
    'http://１２７.0.0.1:PORT/',
    'http://%31%32%37.0.0.1:PORT/',
    'http://0:PORT/',
    'http://[::1]:SIX/',
    'http://[0:0:0:0:0:0:0:1]:SIX/',
    'http://[::ffff:127.0.0.1]:PORT/',
    'http://[::ffff:7f00:1]:PORT/',
    'http://[::127.0.0.1]:PORT/',
    'http://[64:ff9b::127.0.0.1]:PORT/',
    'http://169.254.169.254/latest/meta-data/',
  ])('blocks the literal %s before connecting', async (url) => {
    await expect(call(url)).rejects.toMatchObject({ code: 'blocked_address' })
    nobodyCame()
  })

  it.each([
    ['private', ['127.0.0.1']],
    ['public, then private', ['93.184.216.34', '127.0.0.1']],
    ['private, then public', ['127.0.0.1', '93.184.216.34']],
    ['public, then loopback v6', ['93.184.216.34', '::1']],
    ['mapped', ['::ffff:127.0.0.1']],
    ['NAT64 of loopback', ['64:ff9b::7f00:1']],
    ['not an address', ['localhost']],
  ])('blocks a name that is %s', async (_name, addresses) => {
    await expect(call('http://peer.example.org:PORT/', answers(addresses))).rejects.toMatchObject({
      code: 'blocked_address',
    })
    nobodyCame()
  })

  it('blocks localhost by the system look-up', async () => {
    await expect(call('http://localhost:PORT/')).rejects.toMatchObject({ code: 'blocked_address' })
    nobodyCame()
    expect(lines).toContainEqual(expect.objectContaining({ level: 40, code: 'blocked_address' }))
  })

  it.each([
    ['no addresses', answers([])],
    ['an error', { lookup: () => Promise.reject(new Error('ENOTFOUND')) }],
    ['too many addresses', answers(Array.from({ length: 33 }, () => '93.184.216.34'))],
  ])('reports a look-up with %s', async (_name, options) => {
    await expect(call('http://peer.example.org/', options)).rejects.toMatchObject({
      code: 'dns_failed',
    })
  })

  it('gives up on a look-up that takes too long', async () => {
    const options = { lookup: () => new Promise<never>(() => undefined), connectTimeoutMs: 50 }
    await expect(call('http://peer.example.org/', options)).rejects.toMatchObject({
      code: 'timeout',
    })
  })

  it.each([
    'http://marie:secret@peer.example.org/',
    'http://marie@peer.example.org/',
    'ftp://peer.example.org/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'gopher://peer.example.org/',
    'http://',
    'peer.example.org',
    'http://[fe80::1%25eth0]/',
    `http://peer.example.org/${'a'.repeat(9000)}`,
  ])('does not call %s', async (url) => {
    await expect(call(url, answers(['93.184.216.34']))).rejects.toMatchObject({ code: 'bad_url' })
  })

  it('does not call plain http unless allowed', async () => {
    await expect(
      call('http://127.0.0.1:PORT/', { allowHttp: false, allowPrivateNetworks: true }),
    ).rejects.toMatchObject({ code: 'bad_url' })
    nobodyCame()
  })

  it.each([
    ['another address', '10.0.0.1'],
    ['none', undefined],
    ['no address', ''],
  ])('fails closed when the socket arrived at %s', (_name, remoteAddress) => {
    const arrive = (): void =>
      refuseUnchecked({ remoteAddress }, 'peer.example.org', ['93.184.216.34', '2606:4700::1'])
    expect(arrive).toThrow(expect.objectContaining({ code: 'blocked_address' }))
  })

  it('knows the checked address in another spelling', () => {
    const socket = { remoteAddress: '2606:4700:0:0::0001' }
    expect(() => refuseUnchecked(socket, 'peer.example.org', ['2606:4700::1'])).not.toThrow()
  })

  it('asks once and dials what was checked, whatever a second answer would be', async () => {
    let asked = 0
    const lookup = () => Promise.resolve(asked++ === 0 ? ['127.0.0.1'] : ['127.9.9.9'])
    const response = await call('http://peer.example.org:PORT/', {
      lookup,
      allowPrivateNetworks: true,
    })
    expect([response.status, asked]).toEqual([200, 1])
    expect(listener.received()).toContain(`host: peer.example.org:${listener.port}`)
  })

  it('tries the next address beside a silent or refusing one', async () => {
    const options = { ...answers(['::1', '127.0.0.1']), allowPrivateNetworks: true }
    expect((await call('http://peer.example.org:PORT/', options)).status).toBe(200)
  })
})

describe('TLS of the guarded client (robustness H7)', () => {
  let certificate: ThrowAwayCertificate
  let server: Server
  let port: number
  let client: GuardedClient | undefined
  let heard = 0
  const { log } = captureLog()

  beforeAll(async () => {
    certificate = makeCertificate('peer.example.org')
    const keys = {
      cert: readFileSync(certificate.certFile),
      key: readFileSync(certificate.keyFile),
    }
    server = createServer(keys, (_req, res) => {
      heard++
      res.end('secure')
    })
    server.on('tlsClientError', () => undefined)
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    port = (server.address() as AddressInfo).port
  })
  afterEach(async () => {
    await client?.close()
    heard = 0
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
    certificate.remove()
  })

  const call = (host: string, options: Partial<GuardedClientOptions> = {}) => {
    client = createGuardedClient({
      log,
      allowPrivateNetworks: true,
      allowHttp: true,
      ...answers(['127.0.0.1']),
      ...options,
    })
    return client.request({ method: 'GET', url: `https://${host}:${port}/` })
  }

  it('trusts a certificate for the name that was asked for', async () => {
    const response = await call('peer.example.org', {
      ca: readFileSync(certificate.certFile, 'utf8'),
    })
    expect(response.body.toString()).toBe('secure')
  })

  it.each([
    ['self-signed', 'peer.example.org', false],
    ['for another name', 'other.example.org', true],
    ['for a name when an address was asked for', '127.0.0.1', true],
  ])('refuses a certificate that is %s, and sends nothing', async (_name, host, trusted) => {
    const options = trusted ? { ca: readFileSync(certificate.certFile, 'utf8') } : {}
    await expect(call(host, options)).rejects.toMatchObject({ code: 'tls_failed' })
    expect(heard).toBe(0)
  })

  it('refuses a certificate that has expired, though it trusts it', async () => {
    const old = makeCertificate('peer.example.org', -1)
    const keys = { cert: readFileSync(old.certFile), key: readFileSync(old.keyFile) }
    server.setSecureContext(keys)
    const ca = readFileSync(old.certFile, 'utf8')
    await expect(call('peer.example.org', { ca })).rejects.toMatchObject({
      code: 'tls_failed',
      cause: { code: 'CERT_HAS_EXPIRED' },
    })
    expect(heard).toBe(0)
    old.remove()
  })

  it('refuses what is not TLS, without falling back to http', async () => {
    const raw = await startRaw(() => undefined)
    client = createGuardedClient({
      log,
      allowPrivateNetworks: true,
      allowHttp: true,
      connectTimeoutMs: 500,
    })
    const asked = client.request({ method: 'GET', url: `https://127.0.0.1:${raw.port}/` })
    setTimeout(() => {
      for (const socket of raw.sockets) socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')
    }, 50)
    await expect(asked).rejects.toMatchObject({ code: 'tls_failed' })
    expect(raw.received()).not.toContain('GET ')
    await raw.close()
  })

  it('gives up on a handshake that does not end', async () => {
    const raw = await startRaw(() => undefined)
    client = createGuardedClient({ log, allowPrivateNetworks: true, connectTimeoutMs: 100 })
    const asked = client.request({ method: 'GET', url: `https://127.0.0.1:${raw.port}/` })
    await expect(asked).rejects.toMatchObject({ code: 'timeout' })
    await raw.close()
  })
})
