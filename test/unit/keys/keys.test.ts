import { describe, expect, it } from '@jest/globals'
import { createPublicKey, randomBytes, verify, type JsonWebKey } from 'node:crypto'
import { join } from 'node:path'
import { createEventHub, createSealer } from '../../../src/core/index.ts'
import { migrateDatabase, openDatabase } from '../../../src/db/index.ts'
import { createKeys, hasSigningKeys, type SigningAlgorithm } from '../../../src/keys/index.ts'
import { fakeClock } from '../../support/fake-clock.ts'
import { tempDir } from '../../support/temp-dir.ts'

const base = 'https://cloud.example.org/ocm'
const states = (keys: readonly { state: string }[]) => keys.map(({ state }) => state)

async function openKeys(secretKey = randomBytes(32)) {
  const folder = await tempDir()
  const db = openDatabase(join(folder.path, 'davmesh.sqlite'))
  migrateDatabase(db, 1)
  const clock = fakeClock()
  const events = createEventHub()
  const told: string[] = []
  events.onAny((name, fact) => void told.push(`${name} ${JSON.stringify(fact)}`))
  const deps = { db, clock, events, keyIdBase: base, tokenTtlSeconds: 300 }
  return {
    db,
    clock,
    told,
    keys: createKeys({ ...deps, sealer: createSealer(secretKey) }),
    renamed: (keyIdBase: string) =>
      createKeys({ ...deps, keyIdBase, sealer: createSealer(secretKey) }),
    withOtherSecretKey: () => createKeys({ ...deps, sealer: createSealer(randomBytes(32)) }),
    async [Symbol.asyncDispose]() {
      db.close()
      await folder[Symbol.asyncDispose]()
    },
  }
}

describe('the life of a signing key', () => {
  it('begins by itself, with one active Ed25519 key', async () => {
    await using opened = await openKeys()
    const { keys, db } = opened
    expect(await hasSigningKeys(db)).toBe(false)
    await keys.ensureActive()
    await keys.ensureActive()
    expect(await keys.list()).toMatchObject([
      { kid: `${base}#key-1`, alg: 'Ed25519', state: 'active' },
    ])
    expect(await hasSigningKeys(db)).toBe(true)
  })

  it('goes staged, active, retiring, retired, each at its instant', async () => {
    await using opened = await openKeys()
    const { keys, clock, told } = opened
    await keys.ensureActive()
    const first = `${base}#key-1`
    clock.advance('1h')
    const next = await keys.generate('ES256')
    expect(next).toMatchObject({ kid: `${base}#key-2`, state: 'staged', activatedAt: null })
    clock.advance('1h')
    await keys.activate(next.kid)
    expect(states(await keys.list())).toEqual(['retiring', 'active'])
    clock.advance('1h')
    await keys.retire(first)
    const start = clock.now() - 3 * 3_600_000
    expect(await keys.list()).toMatchObject([
      { createdAt: start, retiringAt: start + 7_200_000, retiredAt: start + 10_800_000 },
      { createdAt: start + 3_600_000, activatedAt: start + 7_200_000, retiredAt: null },
    ])
    expect(told.at(-1)).toContain('"state":"retired"')
  })

  it('has no other steps', async () => {
    await using opened = await openKeys()
    const { keys } = opened
    await keys.ensureActive()
    const first = `${base}#key-1`
    const second = (await keys.generate('Ed25519')).kid
    const refused = (code: string) => ({ code })
    await expect(keys.activate(first)).rejects.toMatchObject(refused('key_state'))
    await expect(keys.retire(first)).rejects.toMatchObject(refused('key_state'))
    await expect(keys.activate('nobody')).rejects.toMatchObject(refused('key_not_found'))
    await keys.activate(second)
    await expect(keys.activate(first)).rejects.toMatchObject(refused('key_state'))
    await keys.retire(first)
    await expect(keys.activate(first)).rejects.toMatchObject(refused('key_state'))
    expect((await keys.retire(first)).state).toBe('retired')
    const staged = (await keys.generate('Ed25519')).kid
    expect((await keys.retire(staged)).state).toBe('retired')
    expect(states(await keys.list())).toEqual(['retired', 'active', 'retired'])
  })

  it('publishes staged, active and retiring keys, never a retired one', async () => {
    await using opened = await openKeys()
    const { keys } = opened
    await keys.ensureActive()
    const { kid } = await keys.generate('ES256')
    const published = async () => (await keys.jwks()).keys.map((jwk) => jwk['kid'])
    expect(await published()).toEqual([`${base}#key-1`, kid])
    await keys.activate(kid)
    expect(await published()).toEqual([`${base}#key-1`, kid])
    await keys.retire(`${base}#key-1`)
    expect(await published()).toEqual([kid])
  })

  it('never gives one id to two keys generated at once', async () => {
    await using opened = await openKeys()
    const { keys } = opened
    await keys.ensureActive()
    const made = await Promise.all(Array.from({ length: 5 }, () => keys.generate('Ed25519')))
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(5)
  })
})

describe('after a change of publicUrl', () => {
  const elsewhere = 'https://new.example.org/ocm'

  it('a key under the old name never signs: it is retired with the change', async () => {
    await using opened = await openKeys()
    const { keys, clock, told, renamed } = opened
    await keys.ensureActive()
    await keys.rotate('Ed25519')
    const now = renamed(elsewhere)
    told.length = 0
    await now.ensureNamed()
    expect(await now.list()).toMatchObject([
      { kid: `${base}#key-1`, state: 'retiring', retiringAt: clock.now() },
      { kid: `${base}#key-2`, state: 'retired', retiredAt: clock.now(), dueAt: null },
      { kid: `${elsewhere}#key-3`, state: 'active' },
    ])
    expect(told.map((line) => JSON.parse(line.replace(/^\S+ /, '')) as unknown)).toEqual([
      { kid: `${elsewhere}#key-3`, state: 'staged' },
      { kid: `${elsewhere}#key-3`, state: 'active' },
      { kid: `${base}#key-1`, state: 'retiring' },
      { kid: `${base}#key-2`, state: 'retired' },
    ])
    clock.advance('2h')
    expect(await now.takeSteps()).toBe(0)
    expect((await now.messageSigner()).keyId).toBe(`${elsewhere}#key-3`)
    await now.rotate('Ed25519')
    told.length = 0
    await now.ensureNamed()
    expect(told).toEqual([])
  })

  it('no step is taken with a key under another name, and the last one still ends', async () => {
    await using opened = await openKeys()
    const { keys, clock, renamed } = opened
    await keys.ensureActive()
    await keys.rotate('Ed25519')
    clock.advance('2h')
    expect(await renamed(elsewhere).takeSteps()).toBe(0)
    expect(states(await keys.list())).toEqual(['active', 'staged'])
    expect(await keys.takeSteps()).toBe(2)
    clock.advance('2h')
    expect(await renamed(elsewhere).takeSteps()).toBe(1)
    expect(states(await keys.list())).toEqual(['retired', 'active'])
  })
})

describe('signing', () => {
  it.each<[SigningAlgorithm, string, number]>([
    ['Ed25519', 'ed25519', 64],
    ['ES256', 'ecdsa-p256-sha256', 64],
  ])('with %s is %s, %i bytes, and verifies with the published key', async (alg, name, bytes) => {
    await using opened = await openKeys()
    const { keys } = opened
    const { kid } = await keys.generate(alg)
    await keys.activate(kid)
    const signer = await keys.messageSigner()
    expect([signer.keyId, signer.algorithm]).toEqual([kid, name])
    const data = Buffer.from('the signature base')
    const signature = Buffer.from(signer.sign(data))
    expect(signature).toHaveLength(bytes)
    const [jwk] = (await keys.jwks()).keys as JsonWebKey[]
    const key = createPublicKey({ key: jwk ?? {}, format: 'jwk' })
    const digest = alg === 'ES256' ? 'sha256' : null
    expect(verify(digest, data, { key, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
  })

  it('uses the new key from the moment it is active', async () => {
    await using opened = await openKeys()
    const { keys } = opened
    await keys.ensureActive()
    expect((await keys.messageSigner()).keyId).toBe(`${base}#key-1`)
    const { kid } = await keys.generate('ES256')
    expect((await keys.messageSigner()).keyId).toBe(`${base}#key-1`)
    await keys.activate(kid)
    expect((await keys.messageSigner()).keyId).toBe(kid)
    expect((await keys.signJwt('at+jwt', {})).kid).toBe(kid)
  })

  it('knows no key of another server', async () => {
    await using opened = await openKeys()
    await opened.keys.ensureActive()
    expect(await opened.keys.verificationKey('https://other.example.org/ocm#key-1')).toBeUndefined()
    expect((await opened.keys.verificationKey(`${base}#key-1`))?.alg).toBe('Ed25519')
  })

  it('fails plainly without an active key', async () => {
    await using opened = await openKeys()
    await expect(opened.keys.messageSigner()).rejects.toMatchObject({ code: 'no_active_key' })
  })
})

describe('private keys at rest', () => {
  it('are sealed: no row holds one, and another secret.key opens none', async () => {
    await using opened = await openKeys()
    const { keys, db, withOtherSecretKey } = opened
    await keys.ensureActive()
    const [row] = db.raw.reader.prepare('SELECT * FROM signing_keys').all() as Record<
      string,
      unknown
    >[]
    expect(String(row?.['public_jwk'])).not.toContain('"d"')
    expect(Buffer.from(row?.['sealed_private_jwk'] as Buffer).toString('latin1')).not.toContain(
      '"d"',
    )
    expect(JSON.stringify(await keys.list())).not.toMatch(/"d"|sealed/)
    await expect(withOtherSecretKey().messageSigner()).rejects.toMatchObject({ code: 'unsealable' })
  })
})
