import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mine, startScratch, type Scratch } from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
})

afterAll(() => scratch.stop())

const names = [
  'plain.txt',
  'with space.txt',
  'hash#mark.txt',
  'per%cent.txt',
  '%41%zz.txt',
  'what?.txt',
  `quo"te'd.txt`,
  '<tag> & "amp".txt',
  'a+b=c;d,e@f!$(g)*.txt',
  'tilde~colon:.txt',
  'brackets[1]{2}|^`.txt',
  'emoji 🎉🏽‍💻.txt',
  'composed é.txt',
  'combining e\u0301.txt',
  'العربية עברית.txt',
  'right\u202eto-left.txt',
  'not a character \ufffe.txt',
  'bom \ufeff.txt',
  '\ufeffbom first',
  'c1 \u0085 control',
  '.hidden',
  '...',
  'trailing.',
  ' leading',
  'trailing ',
  `${'n'.repeat(196)}.txt`,
  'é'.repeat(100),
  'x'.repeat(255),
]

/** The members of a listing, as its hrefs say. */
function hrefsIn(body: string): string[] {
  return [...body.matchAll(/<D:href>([^<]*)<\/D:href>/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&').replaceAll('&#39;', "'"),
  )
}

describe('names', () => {
  it.each(names)('round-trips %j as file and directory', async (name) => {
    const encoded = encodeURIComponent(name)
    const send = (method: string, path: string, headers = {}, body = '') =>
      scratch.send({ method, path, as: 'alice', headers, body })
    const directory = mine(`${encoded}/`)
    expect((await send('MKCOL', directory)).status).toBe(201)
    expect((await send('PUT', directory + encoded, {}, name)).status).toBe(201)
    expect(readFileSync(join(scratch.home, name, name), 'utf8')).toBe(name)
    const list = await send('PROPFIND', directory, { Depth: '1' })
    expect(list.status).toBe(207)
    const [self = '', member = '', ...others] = hrefsIn(list.body)
    expect(others).toEqual([])
    expect(decodeURIComponent(self)).toBe(mine(`${name}/`))
    expect(self).toMatch(/^[\x21-\x7e]+$/)
    // What we say is what works: the hrefs are used as they came.
    const got = await send('GET', member)
    expect([got.status, got.body]).toEqual([200, name])
    const Destination = `http://localhost:${scratch.port}${member}-`.slice(0, 4000)
    if (Buffer.byteLength(name) < 255) {
      expect((await send('MOVE', member, { Destination })).status).toBe(201)
    }
    const page = await send('GET', directory)
    expect(page.body).toContain(`<td><a href="${self.replaceAll('&', '&amp;')}`)
    expect((await send('DELETE', self)).status).toBe(204)
  })

  it('keeps composed and combining spellings apart', async () => {
    for (const name of ['é', 'e\u0301']) {
      const path = mine(encodeURIComponent(name))
      expect((await scratch.send({ method: 'PUT', path, as: 'alice', body: name })).status).toBe(
        201,
      )
    }
  })
})
