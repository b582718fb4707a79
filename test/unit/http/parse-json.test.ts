import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { AppError } from '../../../src/core/index.ts'
import { parseJson } from '../../../src/http/index.ts'
import { expectTame } from './quick.ts'

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const parse = (text: string | Buffer): unknown => parseJson(Buffer.from(text))

describe('JSON bodies', () => {
  it.each([
    ['an object', '{"a":[1,true,null,"x"]}', { a: [1, true, null, 'x'] }],
    ['brackets and escapes in strings', '["[[{{\\"[\\\\"]', ['[[{{"[\\']],
    ['twenty levels', nested(20), JSON.parse(nested(20)) as unknown],
    ['an escaped pair', '"\\ud83d\\ude00"', '😀'],
    ['raw characters outside ASCII', '"é😀"', 'é😀'],
    ['an escaped backslash before ud800', '"\\\\ud800"', '\\ud800'],
    ['surrounding space', ' \n{} ', {}],
  ])('reads %s', (_name, text, value) => {
    expect(parse(text)).toEqual(value)
  })

  it.each([
    ['nothing', '', /empty/],
    ['a byte order mark', '\ufeff{}', /byte order mark/],
    ['UTF-16', Buffer.from([0xff, 0xfe, 0x7b, 0x00]), /UTF-8/],
    ['invalid UTF-8', Buffer.from([0x22, 0xc3, 0x28, 0x22]), /UTF-8/],
    ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/],
    ['twenty-one levels', nested(21), /deeper than 20/],
    ['a thousand levels', nested(1000), /deeper than 20/],
    ['depth hidden behind a string', `["\\"",${nested(20)}]`, /deeper than 20/],
    ['a high surrogate alone', '{"a":"\\ud800"}', /surrogate/],
    ['a low surrogate alone', '["\\uDC00"]', /surrogate/],
    ['a surrogate in a key', '{"\\ud800":1}', /surrogate/],
    ['1e400', '{"a":1e400}', /too large/],
    ['-1e400', '[-1e400]', /too large/],
    ['__proto__', '{"a":{"__proto__":{"polluted":1}}}', /__proto__/],
    ['an escaped __proto__', '{"__pr\\u006fto__":{"polluted":1}}', /__proto__/],
    ['constructor', '[{"constructor":{}}]', /constructor/],
    ['a trailing comma', '{"a":1,}', /not valid JSON/],
    ['two values', '{}{}', /not valid JSON \(character 2\)/],
    ['NaN', '[NaN]', /not valid JSON/],
    ['an unfinished string', '"abc', /not valid JSON/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(message)
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'invalid_json' }),
    )
    expect({}).not.toHaveProperty('polluted')
  })

  it('never repeats the input, in message or cause', () => {
    const secret = 'canary-5bd1'
    try {
      parse(`{"sharedSecret": ${secret}}`)
      throw new Error('not reached')
    } catch (error) {
      expect(error).toBeInstanceOf(AppError)
      expect((error as AppError).message).not.toContain('canary')
      expect((error as AppError).cause).toBeUndefined()
    }
  })

  it('agrees with JSON.parse on ordinary values', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value)
        if (/__proto__|constructor/.test(text)) return
        expect(parse(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('throws nothing but AppError, within 50 ms', () => {
    const jsonish = fc.array(
      fc.constantFrom(
        '{',
        '}',
        '[',
        ']',
        '"',
        '\\',
        ':',
        ',',
        '1e999',
        '\\ud800',
        'a',
        '"__proto__"',
      ),
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      jsonish.map((parts) => Buffer.from(parts.join(''))),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        expectTame(() => parseJson(input))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['brackets', '['.repeat(256 * 1024)],
    ['an open string', `"${'\\'.repeat(256 * 1024)}`],
    ['many keys', `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(',')}}`],
  ])('is quick with 256 KiB of %s', (_name, text) => {
    const input = Buffer.from(text)
    expectTame(() => parseJson(input))
  })
})
