import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { cadaverFor, editedText } from './support/clients.ts'
import { basicPlaceNames, openPlace, type Place } from './support/place.ts'
import { contentsOf, writeSamples } from './support/samples.ts'
import { requireTools, sha256 } from './support/tools.ts'

jest.setTimeout(120_000)

/** An argument of a cadaver command: in double quotes, with those and backslashes escaped. */
const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

/** What cadaver could not do, each with the line that says why. */
const failuresOf = (out: string): string[] =>
  out.match(/.*(failed|error|could not)\b.*\n.*/gi) ?? []

describe.each(basicPlaceNames)('cadaver on %s', (name) => {
  let place: Place
  let cadaver: ReturnType<typeof cadaverFor>

  beforeAll(async () => {
    requireTools('cadaver')
    place = await openPlace(name)
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
    expect(failuresOf(out)).toEqual([])
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
    expect(failuresOf(out)).toEqual([])
    expect(out).toMatch(/Coll:\s+day 100%/)
    const trip = await contentsOf(join(place.root, 'trip'))
    const [copied, moved] = [trip['copied'], trip['day 100%/note 🦊']]
    expect([copied, moved]).toEqual([await sha256(note), await sha256(note)])
    const deletion = await cadaver(['delete trip/copied', 'rmcol trip'])
    expect(failuresOf(deletion.out)).toEqual([])
    expect(existsSync(join(place.root, 'trip'))).toBe(false)
  })

  it('locks, writes what it has locked, and unlocks', async () => {
    writeFileSync(join(place.local, 'first'), 'first')
    writeFileSync(join(place.local, 'second'), 'second')
    const locked = ['put first "locked #1"', 'lock "locked #1"', 'put second "locked #1"']
    const { out } = await cadaver([...locked, 'discover "locked #1"'])
    expect(failuresOf(out)).toEqual([])
    expect(out).toMatch(/Lock token <urn:uuid:[^>]+>:\n\s+Depth 0 on .*locked%20%231'/)
    expect(readFileSync(join(place.root, 'locked #1'), 'utf8')).toBe('second')
    const other = await cadaver(['put first "locked #1"', 'delete "locked #1"'])
    expect(other.out.match(/423 Locked/g)).toHaveLength(2)
    expect(readFileSync(join(place.root, 'locked #1'), 'utf8')).toBe('second')
    const released = await cadaver(['steal "locked #1"', 'unlock "locked #1"'])
    expect(failuresOf(released.out)).toEqual([])
    expect(failuresOf((await cadaver(['delete "locked #1"'])).out)).toEqual([])
  })

  it('edits in place, under a lock of its own', async () => {
    writeFileSync(join(place.local, 'draft'), 'a draft')
    const { out } = await cadaver(['put draft "the 100% draft"', 'edit "the 100% draft"'])
    expect(failuresOf(out)).toEqual([])
    expect(out).toMatch(/Locking .* succeeded[^]*Uploading .* succeeded[^]*Unlocking .* succeeded/)
    expect(readFileSync(join(place.root, 'the 100% draft'), 'utf8')).toBe(editedText)
  })

  it('sets properties, which follow their resource, and removes them', async () => {
    const { out } = await cadaver([
      'mkcol kept',
      'propset kept colour "grün &amp; #1"',
      'move kept "kept 100%"',
      'propget "kept 100%" colour',
      'propdel "kept 100%" colour',
    ])
    expect(failuresOf(out)).toEqual([])
    expect(out).toMatch(/Value of colour is: grün & #1/)
    const { out: after } = await cadaver(['propget "kept 100%" colour'])
    expect(after).toMatch(/Could not fetch property: 404 Not Found/)
  })

  it('is told what is not there', async () => {
    const { out } = await cadaver(['get nothing', 'cd nowhere', 'delete nothing'])
    expect(out).toMatch(/Downloading `.*nothing' .*failed:\n?.*404 Not Found/)
    expect(out.match(/404 Not Found/g)?.length).toBeGreaterThanOrEqual(2)
  })
})
