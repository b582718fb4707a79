import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cadaverFor } from './support/clients.ts'
import { openPlace, type Place } from './support/place.ts'
import { contentsOf, writeSamples } from './support/samples.ts'
import { requireTools, sha256 } from './support/tools.ts'

jest.setTimeout(120_000)

/** An argument of a cadaver command: in double quotes, with those and backslashes escaped. */
const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

describe('cadaver on own files with an app password', () => {
  let place: Place
  let cadaver: ReturnType<typeof cadaverFor>

  beforeAll(async () => {
    requireTools('cadaver')
    place = await openPlace('own files with an app password')
    cadaver = cadaverFor(place)
  })

  afterAll(() => place.close())

  it('puts and gets every size and every awkward name, byte for byte', async () => {
    const samples = join(place.local, 'samples')
    const back = join(place.local, 'back')
    writeSamples(samples)
    mkdirSync(back)
    const files = readdirSync(samples)
    const { out } = await cadaver(
      files.flatMap((file) => [
        `put ${quote(`samples/${file}`)} ${quote(file)}`,
        `get ${quote(file)} ${quote(`back/${file}`)}`,
      ]),
    )
    expect(out).not.toMatch(/failed/i)
    expect(await contentsOf(place.root)).toEqual(await contentsOf(samples))
    expect(await contentsOf(back)).toEqual(await contentsOf(samples))
  })

  it('makes, moves, copies and deletes folders and files', async () => {
    const note = join(place.local, 'note')
    writeFileSync(note, 'a note')
    const { out } = await cadaver([
      'mkcol "trip #1"',
      'cd "trip #1"',
      'put note',
      'mkcol "day 100%"',
      'move note "day 100%/note 🦊"',
      'copy "day 100%/note 🦊" copied',
      'cd ..',
      'move "trip #1" trip',
      'ls trip',
    ])
    expect(out).not.toMatch(/failed/i)
    expect(out).toMatch(/Coll:\s+day 100%/)
    const trip = await contentsOf(join(place.root, 'trip'))
    const [copied, moved] = [trip['copied'], trip['day 100%/note 🦊']]
    expect([copied, moved]).toEqual([await sha256(note), await sha256(note)])
    const deletion = await cadaver(['delete trip/copied', 'rmcol trip'])
    expect(deletion.out).not.toMatch(/failed/i)
    expect(existsSync(join(place.root, 'trip'))).toBe(false)
  })

  it('is told what is not there', async () => {
    const { out } = await cadaver(['get nothing', 'cd nowhere', 'delete nothing'])
    expect(out).toMatch(/Downloading `.*nothing' .*failed:\n?.*404 Not Found/)
    expect(out.match(/404 Not Found/g)?.length).toBeGreaterThanOrEqual(2)
  })
})
