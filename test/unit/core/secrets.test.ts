import { describe, expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { chmod, chown, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  createSealer,
  createSecretKey,
  hashSecret,
  loadSecretKey,
  newId,
  newSecretKey,
  randomText,
  removePartialKeys,
  replaceSecretKey,
  requireSameSecretKey,
  Secret,
} from '../../../src/core/index.ts'
import { captureLog } from '../../support/captured-log.ts'
import { tempDir } from '../../support/temp-dir.ts'

describe('a Secret', () => {
  it('prints itself nowhere, and is revealed on request only', () => {
    const secret = new Secret('hunter2')
    const { log, text } = captureLog()
    log.info({ secret, nested: { secret } }, `the ${secret.toString()}`)
    const printed = [
      secret.toString(),
      JSON.stringify({ secret }),
      inspect(secret, { showHidden: true, depth: 9 }),
      inspect({ deep: [secret] }),
      Object.keys(secret).join(),
      text(),
    ]
    for (const form of printed) expect(form).not.toContain('hunter2')
    expect(secret.reveal()).toBe('hunter2')
  })
})

describe('random text', () => {
  it('has the asked length, from letters and digits alone, and never repeats', () => {
    const ids = Array.from({ length: 1000 }, newId)
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9]{22}$/)
    expect(new Set(ids).size).toBe(ids.length)
    expect(randomText(43)).toHaveLength(43)
  })

  it('uses every letter alike', () => {
    const counts = new Map<string, number>()
    for (const letter of randomText(62_000)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
    expect(counts.size).toBe(62)
    // Six standard deviations around 1,000: fails once in a hundred million runs.
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(190)
  })
})

describe('hashSecret', () => {
  it('is SHA-256 as base64url, so that other programs can check it', () => {
    expect(hashSecret('abc')).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
  })
})

describe('a sealer', () => {
  const key = randomBytes(32)
  const { seal, open } = createSealer(key)

  it('opens what it sealed, in the same place only', () => {
    const sealed = seal('the secret ✓', 'table.column:1')
    expect(sealed.toString('latin1')).not.toContain('secret')
    expect(open(sealed, 'table.column:1')).toBe('the secret ✓')
    expect(() => open(sealed, 'table.column:2')).toThrow(
      expect.objectContaining({ code: 'unsealable', kind: 'internal' }),
    )
  })

  it('never seals the same text twice to the same bytes', () => {
    expect(seal('x', 'c').equals(seal('x', 'c'))).toBe(false)
  })

  it('refuses whatever was altered, cut or sealed with another key', () => {
    const sealed = seal('the secret', 'c')
    for (let index = 1; index < sealed.length; index++) {
      const altered = Buffer.from(sealed)
      altered[index] = (altered[index] ?? 0) ^ 1
      expect(() => open(altered, 'c')).toThrow('could not be opened')
    }
    for (const length of [0, 1, 12, 28]) {
      expect(() => open(sealed.subarray(0, length), 'c')).toThrow('could not be opened')
    }
    expect(() => createSealer(randomBytes(32)).open(sealed, 'c')).toThrow('secret.key')
  })

  it('knows the version of what it opens', () => {
    const other = seal('the secret', 'c')
    other[0] = 2
    expect(() => open(other, 'c')).toThrow('could not be opened')
  })
})

describe('secret.key', () => {
  it('is made once, for its owner only, and never replaced', async () => {
    await using folder = await tempDir()
    const { log } = captureLog()
    const file = join(folder.path, 'new', 'secret.key')
    createSecretKey(file)
    const { current: key } = loadSecretKey(file, log)
    expect(key).toHaveLength(32)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    createSecretKey(file)
    expect(loadSecretKey(file, log).current.equals(key)).toBe(true)
  })

  it('is refused when it is missing or malformed, and warned of when others can read it', async () => {
    await using folder = await tempDir()
    const { log, entries } = captureLog()
    const file = join(folder.path, 'secret.key')
    const code = (expected: string) => expect.objectContaining({ code: expected })
    expect(() => loadSecretKey(file, log)).toThrow(code('secret_key_missing'))
    await writeFile(file, 'too short\n', { mode: 0o600 })
    expect(() => loadSecretKey(file, log)).toThrow(code('secret_key_malformed'))
    await writeFile(file, randomBytes(32).toString('base64url'))
    await chmod(file, 0o644)
    expect(loadSecretKey(file, log).current).toHaveLength(32)
    expect(entries().at(-1)).toMatchObject({ level: 40, file })
  })
})

describe('replacing secret.key', () => {
  it.each([0o600, 0o640, 0o666])(
    'keeps owner, group and mode %o, but nothing for others',
    async (mode) => {
      await using folder = await tempDir()
      const file = join(folder.path, 'secret.key')
      createSecretKey(file)
      // Another group needs root.
      const gid = process.geteuid?.() === 0 ? 4711 : (process.getegid?.() ?? 0)
      await chown(file, process.geteuid?.() ?? 0, gid)
      await chmod(file, mode)
      const current = newSecretKey()
      replaceSecretKey(file, { current, former: undefined })
      const stats = await stat(file)
      expect([stats.gid, stats.mode & 0o777]).toEqual([gid, mode & 0o640])
      expect(loadSecretKey(file, captureLog().log).current.equals(current)).toBe(true)
      expect(await readdir(folder.path)).toEqual(['secret.key'])
    },
  )

  it("removes what a kill left, and nobody's copy", async () => {
    await using folder = await tempDir()
    const file = join(folder.path, 'secret.key')
    createSecretKey(file)
    const copies = ['secret.key.original', 'secret.key.old.partial', 'other.key.abcdEF12.partial']
    for (const name of [...copies, 'secret.key.abcdEF12.partial']) {
      await writeFile(join(folder.path, name), 'x')
    }
    removePartialKeys(file)
    expect((await readdir(folder.path)).sort()).toEqual(['secret.key', ...copies].sort())
  })

  it('is noticed by who has read the key before', async () => {
    await using folder = await tempDir()
    const file = join(folder.path, 'secret.key')
    createSecretKey(file)
    const keys = loadSecretKey(file, captureLog().log)
    requireSameSecretKey(file, keys)
    replaceSecretKey(file, { current: newSecretKey(), former: keys.current })
    expect(() => requireSameSecretKey(file, keys)).toThrow('was rotated while this started')
  })
})
