import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { parseEntityTags } from '../../../src/webdav/conditions/entity-tags.ts'
import { formatHttpDate, parseHttpDate } from '../../../src/webdav/conditions/http-date.ts'
import { parseIfHeader } from '../../../src/webdav/conditions/if-header.ts'
import { parseRange } from '../../../src/webdav/content/range.ts'
import { DavError } from '../../../src/webdav/errors.ts'
import { encodePath, parsePath, parseRequestTarget } from '../../../src/webdav/gate/target.ts'
import { parseBody } from '../../../src/webdav/xml/body.ts'
import { escapeXml } from '../../../src/xml/index.ts'
import { isSegment } from '../../../src/files/index.ts'

/** Returns, or refuses in words of ours; never anything else. */
function isTame(work: () => unknown): boolean {
  try {
    work()
  } catch (error) {
    if (!(error instanceof DavError)) throw error
  }
  return true
}

const noise = fc.string({ unit: 'binary', maxLength: 2000 })
const ifNoise = fc
  .array(
    fc.constantFrom('(', ')', '<', '>', '[', ']', '"', 'Not', ' ', 'x', 'W/', '["e"]', '<u:x>'),
  )
  .map((parts) => parts.join(''))

describe('parsers stay tame', () => {
  it.each<[string, (text: string) => unknown]>([
    ['a request target', parseRequestTarget],
    ['an If header', parseIfHeader],
    ['entity tags', parseEntityTags],
    ['a date', parseHttpDate],
    ['a range', (text) => parseRange(`bytes=${text}`, 10)],
    ['XML', (text) => parseBody(Buffer.from(text))],
  ])('with %s', (_, parse) => {
    fc.assert(fc.property(noise, (text) => isTame(() => parse(text))))
    fc.assert(fc.property(ifNoise, (text) => isTame(() => parse(text))))
  })
})

describe('paths', () => {
  it('come back as they went', () => {
    const segment = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).filter(isSegment)
    fc.assert(
      fc.property(fc.array(segment, { minLength: 1, maxLength: 5 }), (segments) => {
        const text = `/${encodePath(segments)}`
        expect(text).toMatch(/^[\x21-\x7e]+$/)
        expect(text).not.toMatch(/['"<>#?]/)
        expect(parsePath(text).segments).toEqual(segments)
      }),
    )
  })

  it('know their slash', () => {
    expect(parsePath('/')).toEqual({ segments: [], trailingSlash: true })
    expect(parsePath('/a/b/?x')).toEqual({ segments: ['a', 'b'], trailingSlash: true })
    expect(parseRequestTarget('HTTP://x:1/a')).toEqual({ segments: ['a'], trailingSlash: false })
    expect(parseRequestTarget('http://x')).toEqual({ segments: [], trailingSlash: true })
  })
})

describe('the If header', () => {
  it('keeps lists, tags, tokens and their negation apart', () => {
    expect(parseIfHeader('</a> (<t:1> Not ["e"]) (Not<t:2>)')).toEqual([
      {
        resource: '/a',
        conditions: [
          { not: false, token: 't:1' },
          { not: true, etag: '"e"' },
        ],
      },
      { resource: '/a', conditions: [{ not: true, token: 't:2' }] },
    ])
    expect(parseIfHeader('([W/"x"])')).toEqual([
      { resource: undefined, conditions: [{ not: false, etag: 'W/"x"' }] },
    ])
  })
})

describe('dates', () => {
  it('read all three forms (RFC 9110 §5.6.7)', () => {
    for (const text of [
      'Sun, 06 Nov 1994 08:49:37 GMT',
      'Sunday, 06-Nov-94 08:49:37 GMT',
      'Sun Nov  6 08:49:37 1994',
    ]) {
      expect(parseHttpDate(text)).toBe(784_111_777_000)
    }
    expect(formatHttpDate(784_111_777_000)).toBe('Sun, 06 Nov 1994 08:49:37 GMT')
    expect(parseHttpDate('1994-11-06T08:49:37Z')).toBeUndefined()
  })
})

describe('XML out', () => {
  it('can be read again whatever went in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        parseBody(Buffer.from(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`))
      }),
    )
    expect(escapeXml('a<b>&"\'\0\ufffe')).toBe('a&lt;b&gt;&amp;&quot;&#39;\ufffd\ufffd')
  })
})
