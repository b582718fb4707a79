import { describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigError, loadConfig, type ConfigFault } from '../../../src/config/index.ts'
import { tempDir } from '../../support/temp-dir.ts'

async function load(content: unknown, more: Parameters<typeof loadConfig>[0] = {}) {
  await using folder = await tempDir()
  const file = join(folder.path, 'config.json')
  await writeFile(file, JSON.stringify(content))
  const config = loadConfig({ file, environment: {}, cwd: '/cwd', ...more })
  return { config, folder: folder.path }
}

async function faultsOf(content: unknown, more: Parameters<typeof loadConfig>[0] = {}) {
  try {
    await load(content, more)
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
  return []
}

describe('a configuration without faults', () => {
  it('has the defaults of design §3.3 when nothing is said', () => {
    const config = loadConfig({ environment: {}, cwd: '/nowhere' })
    expect(config).toMatchObject({
      source: 'built-in defaults',
      publicUrl: 'http://localhost:8080',
      authority: 'localhost:8080',
      dataDir: '/nowhere/data',
      secretKeyFile: '/nowhere/data/secret.key',
      dev: false,
      workers: 1,
      trustProxy: false,
      files: {
        root: '/nowhere/data/files',
        followSymlinks: false,
        durability: 'full',
        sharedFolder: 'Shared',
      },
      tokens: { ttlSeconds: 3600 },
      signatures: { maxAgeSeconds: 300, maxSkewSeconds: 60, legacy: true },
      outbound: { timeoutMs: 10_000, maxResponseBytes: 1_048_576, allowPrivateNetworks: false },
      auth: { plugins: ['bearer-access-token', 'basic-app-password', 'shared-secret'] },
      webdav: { infiniteDepth: false },
      admin: null,
    })
  })

  it('takes paths from where they were written', async () => {
    const content = { dataDir: 'mine', files: { root: '../files' } }
    const { config, folder } = await load(content)
    expect(config.dataDir).toBe(join(folder, 'mine'))
    expect(config.files.root).toBe(join(folder, '..', 'files'))
    const { config: other } = await load(content, { environment: { DAVMESH_DATA_DIR: 'here' } })
    expect(other.dataDir).toBe('/cwd/here')
  })

  it('is layered: defaults < file < environment < flags', async () => {
    const content = {
      publicUrl: 'https://file.example.org',
      log: { level: 'debug', format: 'pretty' },
    }
    const environment = { DAVMESH_PUBLIC_URL: 'https://env.example.org', DAVMESH_LOG_LEVEL: 'warn' }
    const flags = { publicUrl: 'https://flag.example.org' }
    expect((await load(content)).config.publicUrl).toBe('https://file.example.org')
    const { config } = await load(content, { environment })
    expect([config.publicUrl, config.log]).toEqual([
      'https://env.example.org',
      { level: 'warn', format: 'pretty' },
    ])
    expect((await load(content, { environment, flags })).config.authority).toBe('flag.example.org')
    const empty = { DAVMESH_PUBLIC_URL: '' }
    expect((await load(content, { environment: empty })).config.publicUrl).toBe(
      'https://file.example.org',
    )
  })

  it.each([
    ['127.0.0.1:9', '127.0.0.1', 9],
    ['[::1]:0', '::1', 0],
    ['cloud.example.org:443', 'cloud.example.org', 443],
  ])('reads listen %s', async (listen, host, port) => {
    const { config } = await load({}, { environment: { DAVMESH_LISTEN: listen } })
    expect(config.listen).toMatchObject({ host, port })
  })

  it.each([
    ['https://cloud.example.org/', 'https://cloud.example.org', 'cloud.example.org'],
    ['https://Cloud.Example.org:443', 'https://cloud.example.org', 'cloud.example.org'],
    ['https://cloud.example.org:8443', 'https://cloud.example.org:8443', 'cloud.example.org:8443'],
    ['http://localhost:8080', 'http://localhost:8080', 'localhost:8080'],
    ['http://alice.localhost', 'http://alice.localhost', 'alice.localhost'],
    ['http://[::1]:1', 'http://[::1]:1', '[::1]:1'],
  ])('normalises publicUrl %s', async (publicUrl, origin, authority) => {
    const { config } = await load({ publicUrl })
    expect([config.publicUrl, config.authority]).toEqual([origin, authority])
  })

  it('is frozen to its depth', async () => {
    const { config } = await load({ federation: { allow: ['a.example.org'] } })
    const everything = [config, config.listen, config.federation.allow, config.limits.login]
    expect(everything.map(Object.isFrozen)).toEqual([true, true, true, true])
    expect(() => config.federation.allow.push('x')).toThrow(TypeError)
  })

  it('is what config.example.json is', async () => {
    const file = fileURLToPath(new URL('../../../config.example.json', import.meta.url))
    const config = loadConfig({ file, environment: {} })
    const { publicUrl } = JSON.parse(await readFile(file, 'utf8')) as { publicUrl: string }
    expect(config.publicUrl).toBe(publicUrl)
  })
})

describe('a fault', () => {
  it.each<[string, unknown, ConfigFault]>([
    [
      'an unknown key',
      { publicURL: 'x' },
      { path: 'publicURL', message: 'unknown key; did you mean "publicUrl"? Else remove it' },
    ],
    [
      'an unknown key below',
      { federation: { alow: [] } },
      { path: 'federation.alow', message: 'unknown key; did you mean "allow"? Else remove it' },
    ],
    [
      'an unknown key of tls',
      { listen: { tls: { certFile: 'c', keyFile: 'k', ca: 1 } } },
      { path: 'listen.tls.ca', message: expect.stringMatching(/^unknown key/) as never },
    ],
    [
      'a wrong type',
      { dev: 'yes' },
      { path: 'dev', message: 'must be of type boolean, not a string' },
    ],
    ['null', { tokens: null }, { path: 'tokens', message: 'must be of type object, not null' }],
    [
      'a missing member',
      { admin: { listen: {} } },
      { path: 'admin.listen.port', message: 'is required (number)' },
    ],
    [
      'a half second',
      { tokens: { ttlSeconds: 300.5 } },
      { path: 'tokens.ttlSeconds', message: expect.any(String) as never },
    ],
    [
      'too short',
      { tokens: { ttlSeconds: 299 } },
      { path: 'tokens.ttlSeconds', message: 'must be at least 300' },
    ],
    [
      'too long',
      { tokens: { ttlSeconds: 86_401 } },
      { path: 'tokens.ttlSeconds', message: 'must be at most 86400' },
    ],
    [
      'a port too high',
      { listen: { port: 65_536 } },
      { path: 'listen.port', message: 'must be at most 65535' },
    ],
    [
      'an unknown plugin',
      { auth: { plugins: ['oidc'] } },
      { path: 'auth.plugins.0', message: expect.stringContaining('"shared-secret"') as never },
    ],
    [
      'no plugin at all',
      { auth: { plugins: [] } },
      { path: 'auth.plugins', message: 'must be at least 1' },
    ],
    [
      'symbolic links',
      { files: { followSymlinks: true } },
      { path: 'files.followSymlinks', message: 'must be false' },
    ],
    [
      'a folder with a slash',
      { files: { sharedFolder: 'a/b' } },
      { path: 'files.sharedFolder', message: 'must be a folder name without a slash' },
    ],
    ...['.', '..', '.davmesh-x', '.DAVMESH-y', 'a\u0000b'].map(
      (sharedFolder): [string, unknown, ConfigFault] => [
        `a folder called ${JSON.stringify(sharedFolder)}`,
        { files: { sharedFolder } },
        {
          path: 'files.sharedFolder',
          message: 'must be a name that a folder can have, and not one of our own',
        },
      ],
    ),
    [
      'workers by name',
      { workers: 'many' },
      { path: 'workers', message: 'must be a number of processes or "auto"' },
    ],
    [
      'trustProxy true',
      { trustProxy: true },
      {
        path: 'trustProxy',
        message: expect.stringMatching(/^must be false or an array of addresses/) as never,
      },
    ],
    ['a list', [], { path: '', message: expect.stringMatching(/^must be/) as never }],
  ])('is told by path and fix for %s', async (_name, content, fault) => {
    expect(await faultsOf(content)).toEqual([fault])
  })

  it.each([
    ['cloud.example.org', 'must be a URL'],
    ['ftp://cloud.example.org', 'must begin with https://'],
    ['https://u:p@cloud.example.org', 'must not contain a user'],
    ['https://cloud.example.org/dav', 'must have no path'],
    ['https://cloud.example.org?x', 'must have no path'],
    ['https://cloud.example.org/#x', 'must have no path'],
    ['http://cloud.example.org', 'must be https'],
    ['http://127.evil.example.org', 'must be https'],
    ['http://localhost.example.org', 'must be https'],
  ])('is told for publicUrl %s (S15)', async (publicUrl, said) => {
    const [fault] = await faultsOf({ publicUrl })
    expect([fault?.path, fault?.message]).toEqual(['publicUrl', expect.stringContaining(said)])
  })

  it('is none for plain http in dev', async () => {
    expect(await faultsOf({ publicUrl: 'http://cloud.example.org', dev: true })).toEqual([])
  })

  it.each(['8080', 'localhost', ':80', 'a:b', '::1:80', 'host:99999'])(
    'is told for listen "%s" of the environment',
    async (listen) => {
      const faults = await faultsOf({}, { environment: { DAVMESH_LISTEN: listen } })
      expect(faults.map(({ path }) => path.split('.')[0])).toEqual(['listen'])
    },
  )

  it('never stops the others from being told', async () => {
    const content = {
      lisen: 1,
      tokens: { ttlSeconds: 1 },
      publicUrl: 'ftp://x',
      log: { level: 'x' },
    }
    const faults = await faultsOf(content, { environment: { DAVMESH_LISTEN: 'x' } })
    expect(faults.map(({ path }) => path).sort()).toEqual([
      'lisen',
      'listen',
      'log.level',
      'publicUrl',
      'tokens.ttlSeconds',
    ])
  })
})
