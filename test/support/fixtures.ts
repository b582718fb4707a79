import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** A fixture of `test/fixtures`; the caller says what it is. */
export const readFixture = (path: string): unknown =>
  JSON.parse(readFileSync(`${folder}${path}.json`, 'utf8'))

/** The names of a fixture folder's documents. */
export const listFixtures = (path: string): string[] =>
  readdirSync(`${folder}${path}`)
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${path}/${name.replace(/\.json$/, '')}`)
