import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { inspectSignature, verifyContentDigest } from '../../../src/http-signatures/index.ts'
import { genuineSignature, goodInput, outcome, policy, received } from './signed-request.ts'

/** The faster of two runs in milliseconds, so that a pause of the collector is not ours. */
function cost(run: () => void): number {
  const once = () => {
    const start = performance.now()
    run()
    return performance.now() - start
  }
  return Math.min(once(), once())
}

const many = (count: number, make: (index: number) => string) =>
  Array.from({ length: count }, (_unused, index) => make(index)).join(', ')

describe('a hostile message', () => {
  const good = genuineSignature(goodInput)
  const names = many(1400, (index) => `"x${index}"`).replaceAll(',', '')

  it.each([
    ['500 labels (C15)', many(500, (n) => `s${n}=()`), many(500, (n) => `s${n}=:AAAA:`)],
    ['17 labels', many(17, (n) => `s${n}=()`), many(17, (n) => `s${n}=:AAAA:`)],
    ['15 KiB of Signature-Input (C15)', `ocm=${goodInput};x="${'x'.repeat(15000)}"`, `ocm=${good}`],
    [
      '10 KiB of both together',
      `ocm=${goodInput};x="${'x'.repeat(5000)}"`,
      `ocm=:${'A'.repeat(5000)}:`,
    ],
    ['15 KiB of Signature', `ocm=${goodInput}`, `ocm=:${'A'.repeat(15000)}:`],
  ])('is refused unread in less than 20 ms: %s', (_name, input, signature) => {
    const request = received(input, signature)
    expect(outcome(request)).toBe('fields_too_large')
    expect(cost(() => inspectSignature(request, policy))).toBeLessThan(20)
  })

  it.each([
    ['15 KiB of Signature alone', { Signature: `ocm=:${'A'.repeat(15000)}:` }],
    ['15 KiB of Content-Digest', { 'content-digest': `sha-256=:${'A'.repeat(15000)}:` }],
    ['1400 components', { 'Signature-Input': `ocm=(${names.slice(0, 7000)}")` }],
    ['a run of blanks inside a field', { 'x-blank': `a${' '.repeat(60000)}b` }],
    ['a run of folds', { 'x-fold': `a${'\r\n '.repeat(20000)}b` }],
    ['7 KiB of parameters', { 'Signature-Input': `ocm=()${';a;b;c=1'.repeat(900)}` }],
    ['unclosed strings', { 'Signature-Input': '"'.repeat(8000) }],
    ['colons', { Signature: ':'.repeat(8000) }],
  ])('costs less than 20 ms: %s', (_name, fields) => {
    const request = received(`ocm=${goodInput}`, `ocm=${good}`, fields)
    expect(cost(() => inspectSignature(request, policy))).toBeLessThan(20)
  })
})

describe('any header text', () => {
  const pieces = ['ocm', '=', '(', ')', '"@method"', '"', ';', ',', ' ', ':AAAA:', ':', 'tag="ocm"']
  const text = fc.oneof(
    fc.string({ maxLength: 20_000, unit: 'binary' }),
    fc
      .array(fc.constantFrom(...pieces, ';created=1', '%"', '@1', '\\', '\t', '1.0'), {
        maxLength: 3000,
      })
      .map((parts) => parts.join('')),
    fc.mixedCase(fc.constant(`ocm=${goodInput}`)),
  )

  it('never throws and takes less than 50 ms', () => {
    fc.assert(
      fc.property(text, text, text, (input, signature, digest) => {
        const request = received(input, signature, { 'content-digest': digest })
        return (
          cost(() => {
            inspectSignature(request, policy)
            verifyContentDigest(digest, request.body)
          }) < 50
        )
      }),
      { numRuns: 300 },
    )
  }, 30_000)

  it('never makes a duplicated label look like one', () => {
    const filler = fc.array(fc.constantFrom(...pieces, 'a', '\\', '?1', '%'), { maxLength: 12 })
    fc.assert(
      fc.property(filler, filler, (one, other) => {
        const field = `ocm=()${one.join('')}, ocm=${goodInput}${other.join('')}`
        const status = outcome(received(field, 'ocm=:AAAA:'))
        // Only a string opened by the filler can swallow the first label.
        return status !== 'inspected'
      }),
      { numRuns: 2000 },
    )
  })
})
