import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseForm } from '../../../src/http/index.ts'
import { expectTame } from './quick.ts'

const parse = (text: string | Buffer): Map<string, string> => parseForm(Buffer.from(text))

describe('form bodies', () => {
  it.each<[string, string, [string, string][]]>([
    ['nothing', '', []],
    [
      'two fields',
      'grant_type=authorization_code&code=a',
      [
        ['grant_type', 'authorization_code'],
        ['code', 'a'],
      ],
    ],
    ['plus and escapes', 'a=x+y%2B%20%C3%A9', [['a', 'x y+ é']]],
    ['an empty value', 'code=', [['code', '']]],
    ['a name alone', 'code', [['code', '']]],
    [
      'empty parts',
      '&a=1&&b=2&',
      [
        ['a', '1'],
        ['b', '2'],
      ],
    ],
    ['equals signs in a value', 'a=b=c', [['a', 'b=c']]],
    ['__proto__ as an ordinary name', '__proto__=1', [['__proto__', '1']]],
    ['escaped separators', 'a=%26b%3D1', [['a', '&b=1']]],
  ])('reads %s', (_name, text, entries) => {
    expect([...parse(text)]).toEqual(entries)
  })

  it.each<[string, string | Buffer, RegExp]>([
    ['a repeated name', 'code=1&code=2', /"code" more than once/],
    ['a repeated name, escaped', 'code=1&c%6Fde=2', /"code" more than once/],
    ['a bad escape', 'code=%zz', /"code"/],
    ['a cut escape', 'code=%2', /"code"/],
    ['invalid UTF-8', 'code=%ff', /"code"/],
    ['overlong UTF-8', 'code=%c0%ae', /"code"/],
    ['an encoded surrogate', 'code=%ed%a0%80', /"code"/],
    ['a bad escape in a name', 'c%zz=1', /parameter name/],
    ['no name', '=1', /parameter name/],
    ['a raw space', 'code=a b', /"code"/],
    ['a raw line break', 'code=a\r\nb', /"code"/],
    ['raw UTF-8', 'code=é', /"code"/],
    ['a NUL', Buffer.from([0x61, 0x3d, 0x00]), /"a"/],
    ['101 parameters', Array.from({ length: 101 }, (_, n) => `p${n}=1`).join('&'), /more than 100/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parse(text)).toThrow(message)
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'invalid_form' }),
    )
  })

  it('takes exactly the limit', () => {
    const form = parseForm(Buffer.from('a=1&b=2'), { maxParameters: 2 })
    expect(form.size).toBe(2)
    expect(() => parseForm(Buffer.from('a=1&b=2'), { maxParameters: 1 })).toThrow(/more than 1 /)
  })

  it('refuses ten thousand parameters in 10 ms (robustness B10)', () => {
    const input = Buffer.from('a=1&'.repeat(10_000))
    expect(() => parseForm(input)).toThrow(/more than 100/)
    expectTame(() => parseForm(input), 10)
  })

  it('never repeats a value', () => {
    expect(() => parse('code=canary%zz')).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining('canary') }),
    )
  })

  it('reads back what URLSearchParams writes', () => {
    const names = fc.string({ minLength: 1, unit: 'grapheme' })
    fc.assert(
      fc.property(
        fc.dictionary(names, fc.string({ unit: 'grapheme' }), { maxKeys: 20 }),
        (fields) => {
          expect(Object.fromEntries(parse(new URLSearchParams(fields).toString()))).toEqual({
            ...fields,
          })
        },
      ),
    )
  })

  it('throws nothing but AppError, within 50 ms', () => {
    const formish = fc.array(
      fc.constantFrom('&', '=', '%', '%2', '%zz', '%ff', '+', 'a', 'é', '%41'),
    )
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }),
      formish.map((parts) => Buffer.from(parts.join(''))),
    )
    fc.assert(
      fc.property(bytes, (input) => {
        expectTame(() => parseForm(input))
      }),
      { numRuns: 2000 },
    )
  })
})
