import { describe, expect, it, jest } from '@jest/globals'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runCliHere } from '../../support/cli-in-process.ts'
import { runCli } from '../../support/run-cli.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Every command is a process that loads the whole program. */
jest.setTimeout(30_000)

describe('exit status 2: used wrongly', () => {
  it.each([
    [['nonsense']],
    [['user']],
    [['user', 'add']],
    [['user', 'add', 'x', '--nonsense']],
    [['key', 'generate', '--alg', 'RS1']],
    [['serve', 'too', 'many']],
    [[]],
  ])('%j says how, and makes no data', async (args) => {
    await using folder = await tempDir()
    const result = await runCliHere(args, folder.path)
    expect([args, result.code, result.out]).toEqual([args, 2, ''])
    expect(result.err).toMatch(/--help|Usage:/)
    await expect(stat(join(folder.path, 'data'))).rejects.toThrow('ENOENT')
  })

  it('is what the process itself exits with', async () => {
    await using folder = await tempDir()
    const result = await runCli(['nonsense'], { cwd: folder.path })
    expect([result.code, result.out]).toEqual([2, ''])
  })

  it('is not what --help and --version are', async () => {
    await using folder = await tempDir()
    const help = await runCli(['share', 'create', '--help'], { cwd: folder.path })
    expect([help.code, help.err]).toEqual([0, ''])
    expect(help.out).toMatch(/--permissions[\s\S]*--config[\s\S]*--json/)
    const version = await runCli(['--version'], { cwd: folder.path })
    expect([version.code, version.out.trim()]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+/)])
  })
})

describe('exit status 78: configured wrongly', () => {
  it('names every fault at once, by path, with the fix', async () => {
    await using folder = await tempDir()
    const content = {
      publicUrl: 'http://cloud.example.org/path',
      lisen: { port: 1 },
      tokens: { ttlSeconds: 5, ttl: 3600 },
      log: { level: 'loud' },
      auth: { plugins: ['bearer'] },
    }
    await writeFile(join(folder.path, 'config.json'), JSON.stringify(content))
    const result = await runCli(['serve', '--listen', 'nonsense'], { cwd: folder.path })
    expect([result.code, result.out]).toEqual([78, ''])
    for (const said of [
      'publicUrl: must have no path',
      'lisen: unknown key; did you mean "listen"?',
      'tokens.ttlSeconds: must be at least 300',
      'tokens.ttl: unknown key; did you mean "ttlSeconds"?',
      'log.level: must be "trace" or',
      'auth.plugins.0: must be',
      'listen: "nonsense" must be host:port',
    ]) {
      expect(result.err).toContain(said)
    }
    await expect(stat(join(folder.path, 'data'))).rejects.toThrow('ENOENT')
  })

  it.each([
    ['a file that is not there', undefined, 'does not exist'],
    ['a file that is no JSON', '{ "publicUrl": ', 'is not valid JSON'],
    ['a file that is a list', '[]', 'must be'],
  ])('is for %s', async (_name, content, said) => {
    await using folder = await tempDir()
    const file = join(folder.path, 'mine.json')
    if (content !== undefined) await writeFile(file, content)
    const result = await runCliHere(['user', 'list', '--config', file], folder.path)
    expect([result.code, result.out]).toEqual([78, ''])
    expect(result.err).toContain(said)
    expect(result.err).toContain('mine.json')
  })

  it('is for a publicUrl without https that is not this machine (S15)', async () => {
    await using folder = await tempDir()
    const args = ['serve', '--public-url', 'http://cloud.example.org']
    const result = await runCliHere(args, folder.path)
    expect([result.code, result.err]).toEqual([
      78,
      expect.stringContaining('publicUrl: must be https'),
    ])
  })
})

describe('davmesh init', () => {
  it('writes a configuration that works, and never replaces one unasked', async () => {
    await using folder = await tempDir()
    const options = { cwd: folder.path }
    const url = 'https://cloud.example.org'
    const made = await runCli(['init', '--public-url', url, '--json'], options)
    expect([made.code, made.json()]).toEqual([0, expect.objectContaining({ publicUrl: url })])
    const written = await readFile(join(folder.path, 'config.json'), 'utf8')
    expect(JSON.parse(written)).toMatchObject({ publicUrl: url, dataDir: './data' })

    const again = await runCli(['init', '--public-url', 'https://other.example.org'], options)
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('--force')])
    expect(await readFile(join(folder.path, 'config.json'), 'utf8')).toBe(written)
    expect((await runCli(['init', '--force', '--public-url', url], options)).code).toBe(0)
  })

  it('says that the folder of the file is missing', async () => {
    await using dir = await tempDir()
    const made = await runCli(['init', '--config', 'missing/config.json'], { cwd: dir.path })
    expect([made.code, made.out]).toEqual([1, ''])
    expect(made.err).toMatch(/^error: .*\/missing does not exist; make it first\n/)
    expect(made.err).not.toContain('ENOENT')
  })

  it('leaves no file behind that could not be used', async () => {
    await using folder = await tempDir()
    const args = ['init', '--public-url', 'http://cloud.example.org']
    const result = await runCli(args, { cwd: folder.path })
    expect(result.code).toBe(78)
    await expect(stat(join(folder.path, 'config.json'))).rejects.toThrow('ENOENT')
  })
})
