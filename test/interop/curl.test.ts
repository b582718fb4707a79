import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { curlFor } from './support/clients.ts'
import { openPlace, placeNames, type Place } from './support/place.ts'
import { awkwardNames, contentsOf, writeSamples } from './support/samples.ts'
import { requireTools, run, sha256 } from './support/tools.ts'

jest.setTimeout(120_000)

describe.each(placeNames)('curl on %s', (name) => {
  let place: Place
  let curl: ReturnType<typeof curlFor>
  let samples: string

  beforeAll(async () => {
    requireTools('curl')
    place = await openPlace(name)
    curl = curlFor(place)
    samples = join(place.local, 'samples')
    writeSamples(samples)
  })

  afterAll(() => place.close())

  it('uploads and downloads every size and every awkward name, byte for byte', async () => {
    const back = join(place.local, 'back')
    for (const file of readdirSync(samples)) {
      await curl([file], '--globoff', '--upload-file', join(samples, file))
      await curl([file], '--globoff', '--create-dirs', '--output', join(back, file))
    }
    expect(await contentsOf(place.root)).toEqual(await contentsOf(samples))
    // curl makes no file where there is nothing to write.
    const received = { 'empty.bin': await sha256(join(samples, 'empty.bin')) }
    expect({ ...received, ...(await contentsOf(back)) }).toEqual(await contentsOf(samples))
  })

  it('uploads from a pipe, without knowing the length', async () => {
    const upload = ['--upload-file', '-', '--header', 'Transfer-Encoding: chunked']
    const pipe = `head -c 3000000 /dev/zero | tee >(sha256sum >&2)`
    const { accessToken, login, url } = place
    const credential = accessToken
      ? ['--oauth2-bearer', accessToken]
      : ['--user', `${login?.username ?? ''}:${login?.password ?? ''}`]
    const command = `${pipe} | curl --fail --silent "$@"`
    const args = [...upload, ...credential, `${url}/zeros.bin`]
    const { code, err } = await run('bash', ['-c', command, 'bash', ...args])
    expect(code).toBe(0)
    expect(err).toContain(await sha256(join(place.root, 'zeros.bin')))
  })

  it('reads parts, and resumes a download where it stopped', async () => {
    const whole = readFileSync(join(samples, 'five MiB.bin'))
    const part = join(place.local, 'part')
    const parts = { '5-9': [5, 10], '-7': [-7], '5242870-': [5_242_870] }
    for (const [range, [from, to]] of Object.entries(parts)) {
      await curl(['five MiB.bin'], '--range', range, '--output', part)
      expect(readFileSync(part).equals(whole.subarray(from, to))).toBe(true)
    }
    await curl(['five MiB.bin'], '--range', '0-1999999', '--output', part)
    await curl(['five MiB.bin'], '--continue-at', '-', '--output', part)
    expect(readFileSync(part).equals(whole)).toBe(true)
    await expect(curl(['five MiB.bin'], '--range', '5242880-')).rejects.toThrow(/416/)
  })

  it('downloads only what has changed, and overwrites only what it has seen', async () => {
    const [etag, body] = [join(place.local, 'etag'), join(place.local, 'body')]
    const file = join(place.local, 'file')
    const status = ['--write-out', '%{http_code}', '--output', body]
    writeFileSync(file, 'version 1')
    await curl(['seen'], '--upload-file', file)
    expect(await curl(['seen'], '--etag-save', etag, '--remote-time', ...status)).toBe('200')
    expect(await curl(['seen'], '--etag-compare', etag, ...status)).toBe('304')
    expect(await curl(['seen'], '--time-cond', body, ...status)).toBe('304')
    const ifMatch = ['--header', `If-Match: ${readFileSync(etag, 'utf8').trim()}`]
    writeFileSync(file, 'version 2')
    await curl(['seen'], '--upload-file', file, ...ifMatch)
    await expect(curl(['seen'], '--upload-file', file, ...ifMatch)).rejects.toThrow(/412/)
    const absent = ['--header', 'If-None-Match: *']
    await expect(curl(['seen'], '--upload-file', file, ...absent)).rejects.toThrow(/412/)
    expect(await curl(['seen'], '--etag-compare', etag, ...status)).toBe('200')
    expect(readFileSync(body, 'utf8')).toBe('version 2')
  })

  it('copies and moves from and to every awkward name', async () => {
    const to = (file: string) => [
      '--header',
      `Destination: ${place.url}/${encodeURIComponent(file)}`,
    ]
    for (const file of awkwardNames) {
      await curl([file], '--request', 'COPY', ...to('copied'))
      await curl(['copied'], '--request', 'MOVE', ...to(file))
    }
    expect(existsSync(join(place.root, 'copied'))).toBe(false)
    expect(await contentsOf(place.root)).toMatchObject(await contentsOf(samples))
  })

  it('makes, moves and deletes a folder', async () => {
    await curl(['before'], '--request', 'MKCOL')
    await curl(['before', 'a file'], '--upload-file', join(samples, 'one byte.bin'))
    const target = `Destination: ${place.url}/after%20%231/`
    await curl(['before'], '--request', 'MOVE', '--header', target)
    expect(existsSync(join(place.root, 'before'))).toBe(false)
    expect(Object.keys(await contentsOf(join(place.root, 'after #1')))).toEqual(['a file'])
    await curl(['after #1'], '--request', 'DELETE')
    expect(existsSync(join(place.root, 'after #1'))).toBe(false)
  })

  it('lists a folder', async () => {
    const listing = await curl([], '--request', 'PROPFIND', '--header', 'Depth: 1')
    expect(listing).toMatch(/^<\?xml/)
    expect(listing.match(/<(\w+:)?response[ >]/g)).toHaveLength(readdirSync(place.root).length + 1)
  })

  it('is asked for a credential when it brings none', async () => {
    const { out } = await run('curl', ['--silent', '--include', `${place.url}/`])
    expect(out).toMatch(/^HTTP\/1\.1 401 /)
    expect(out).toMatch(/^www-authenticate: Bearer realm="davmesh"/im)
    expect(out).toMatch(/^www-authenticate: Basic realm="davmesh"/im)
  })
})
