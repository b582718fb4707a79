import { expect, it } from '@jest/globals'
import { readFileSync } from 'node:fs'
import { eventNames } from '../../../src/core/index.ts'

it('every event is in the catalogue of docs/operations.md', () => {
  const page = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  const [, section = ''] = /<!-- events: (.*?)<!-- end of events -->/s.exec(page) ?? []
  const listed = [...section.matchAll(/^\| `([a-z-]+\.[a-z-]+)` /gm)].map(([, name]) => name)
  expect(eventNames.length).toBeGreaterThan(20)
  expect(listed).toEqual(eventNames)
})
