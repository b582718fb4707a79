import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readFixture } from '../support/fixtures.ts'

interface Indexed {
  /** Below `test/fixtures`. */
  readonly path: string
  /** Whose they are. */
  readonly peer: string
  readonly note: string
}

const index = readFixture('index') as Indexed[]

const filesBelow = (folder: string, ending: string): string[] => {
  const root = fileURLToPath(new URL(`../${folder}/`, import.meta.url))
  return readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending))
    .map((name) => name.replaceAll('\\', '/'))
    .sort()
}

/** The text of all tests but this one. */
const tests = ['unit', 'integration', 'federation', 'conformance', 'support']
  .flatMap((folder) => filesBelow(folder, '.ts').map((name) => `${folder}/${name}`))
  .filter((name) => name !== 'conformance/fixtures.test.ts')
  .map((name) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8'))
  .join('\n')

/** By its path, by its name where a test puts the two together, or with all of its folder. */
function isRead(path: string): boolean {
  const [, folder = '', name = ''] = /^(.+)\/([^/]+)\.json$/.exec(path) ?? []
  const quoted = (text: string) => new RegExp(`['"\`]${text}(\\.json)?['"\`]`).test(tests)
  const composed = tests.includes(`${folder}/\${`) && quoted(name)
  const listed = tests.includes(`listFixtures('${folder}')`)
  return listed || tests.includes(path) || quoted(path.slice(0, -5)) || composed
}

describe('the fixtures', () => {
  it('are those of the index', () => {
    const files = filesBelow('fixtures', '.json').filter((name) => name !== 'index.json')
    expect(index.map(({ path }) => path).sort()).toEqual(files)
  })

  it.each(index)('$path ($peer) is judged by a test', ({ path }) => {
    expect([path, isRead(path)]).toEqual([path, true])
  })
})
