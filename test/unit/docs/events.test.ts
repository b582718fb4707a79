import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'

const read = (path: string): string =>
  readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8')

it('every event is in the catalogue of docs/operations.md', () => {
  const [, events = ''] = /interface Events \{(.*?)\n\}/s.exec(read('src/core/events.ts')) ?? []
  const names = [...events.matchAll(/^ {2}'([a-z.-]+)'/gm)].map(([, name]) => name)
  const page = read('docs/operations.md')
  const listed = [...page.matchAll(/^\| `([a-z-]+\.[a-z-]+)` /gm)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(20)
  expect(listed).toEqual(expect.arrayContaining(names))
})
