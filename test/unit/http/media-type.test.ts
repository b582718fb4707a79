import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mediaType } from '../../../src/http/index.ts'
import { expectTame } from './quick.ts'

describe('media types', () => {
  it.each([
    ['application/json', 'application/json'],
    ['Application/JSON', 'application/json'],
    [' application/json ; charset=UTF-8 ', 'application/json'],
    ['application/json;charset="utf-8"', 'application/json'],
    ['text/xml; charset="ut\\f-8"', 'text/xml'],
    ['application/json;', 'application/json'],
    ['application/json; profile="a;b=\\"c"; charset=utf-8', 'application/json'],
    ['application/x-www-form-urlencodedX', 'application/x-www-form-urlencodedx'],
    ['multipart/form-data; boundary=xYz', 'multipart/form-data'],
  ])('reads %j', (header, type) => {
    expect(mediaType(header)).toBe(type)
  })

  it.each([
    undefined,
    '',
    'json',
    'application/',
    '/json',
    'application/json, text/html',
    'application/json charset=utf-8',
    'application/json; charset',
    'application/json; charset=',
    'application/json; charset="utf-8',
    'application/json; charset=iso-8859-1',
    'application/json; charset=utf-8; charset=utf-16',
    'application /json',
    'application/json\u00e9',
    'application/json; x="a\r\nb"',
    `application/json; x=${'a'.repeat(300)}`,
  ])('does not read %j', (header) => {
    expect(mediaType(header)).toBeUndefined()
  })

  it('never throws and is quick', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z/;= "\\,\t]*$/), (header) => {
        expectTame(() => mediaType(header))
      }),
    )
  })
})
