import { describe, expect, it } from '@jest/globals'
import {
  created,
  fourComponents,
  genuineSignature,
  goodInput,
  inspected,
  keyId,
  outcome,
  publicJwk,
  received,
  signedWith,
  body,
} from './signed-request.ts'
import { verifySignature } from '../../../src/http-signatures/index.ts'

const good = genuineSignature(goodInput)
const parameters = `;created=${created};keyid="${keyId}";tag="ocm"`
const withParameters = (text: string) => signedWith(`${fourComponents}${text};tag="ocm"`)

describe('the one signature of a message', () => {
  it.each([
    ['under any label', received(`x=${goodInput}`, `x=${good}`)],
    [
      'beside a foreign one',
      received(`sig1=("@method");created=1, ocm=${goodInput}`, `sig1=:AAAA:, ocm=${good}`),
    ],
    ['without spaces after commas', received(`b=(),ocm=${goodInput}`, `b=:AAAA:,ocm=${good}`)],
    [
      'beside a foreign one that took its label',
      received(`ocm=("date");tag="app", b=${goodInput}`, `ocm=:AAAA:, b=${good}`),
    ],
    [
      'in field lines of their own',
      received('b=()', 'b=:AAAA:', {
        'signature-input': `ocm=${goodInput}`,
        signature: `ocm=${good}`,
      }),
    ],
  ])('is found %s (S11, S12)', (_name, request) => {
    expect(verifySignature(inspected(request), publicJwk)).toEqual({ ok: true })
  })

  it.each([
    [
      'no signature fields',
      received('', '', { 'Signature-Input': undefined, Signature: undefined }),
    ],
    ['only foreign signatures', received('sig1=("@method");created=1', 'sig1=:AAAA:')],
    ['another tag under our label', received(`ocm=("date");tag="app"`, `ocm=${good}`)],
    [
      'a draft-cavage signature',
      received('', 'keyId="k",algorithm="rsa-sha512",headers="date",signature="AAAA"', {
        'Signature-Input': undefined,
      }),
    ],
  ])('is absent: %s', (_name, request) => {
    expect(outcome(request)).toBe('unsigned')
  })

  it.each([
    [
      'two tagged ocm (C1)',
      `ocm=${goodInput}, b=${goodInput}`,
      `ocm=${good}, b=${good}`,
      'several_signatures',
    ],
    [
      'one label twice in Signature-Input (C1)',
      `ocm=(), ocm=${goodInput}`,
      `ocm=${good}`,
      'fields_duplicate',
    ],
    [
      'one label twice in Signature (C1)',
      `ocm=${goodInput}`,
      `ocm=:AAAA:, ocm=${good}`,
      'fields_duplicate',
    ],
    ['a label only in Signature-Input (C1)', `ocm=${goodInput}`, '', 'label_mismatch'],
    ['a label only in Signature (C1)', '', `ocm=${good}`, 'label_mismatch'],
    ['other labels in the two fields (C1)', `ocm=${goodInput}`, `ocn=${good}`, 'label_mismatch'],
    [
      'a foreign label in one field only (RFC 9421 §4)',
      `b=(), ocm=${goodInput}`,
      `ocm=${good}`,
      'label_mismatch',
    ],
    ['a parameter twice (S28)', `ocm=${goodInput};tag="ocm"`, `ocm=${good}`, 'fields_duplicate'],
    [
      'a parameter twice on a component',
      `ocm=("date";sf;sf)${parameters}`,
      `ocm=${good}`,
      'fields_duplicate',
    ],
    [
      'a duplicate hidden behind a display string',
      `a=%"\\", ocm=(), ocm=${goodInput}, b="x"`,
      '',
      'fields_malformed',
    ],
    ['a token as tag', `ocm=${fourComponents};tag=ocm`, `ocm=${good}`, 'fields_malformed'],
    ['an item where a list belongs', 'ocm=1;tag="ocm"', `ocm=${good}`, 'fields_malformed'],
    ['a string where bytes belong', `ocm=${goodInput}`, 'ocm="AAAA"', 'fields_malformed'],
    ['an unclosed list', `ocm=("@method"`, `ocm=${good}`, 'fields_malformed'],
    [
      'a decimal without fraction',
      `ocm=${fourComponents};created=${created}.0`,
      `ocm=${good}`,
      'fields_malformed',
    ],
    [
      'a draft-cavage Signature beside Signature-Input',
      `ocm=${goodInput}`,
      'keyId="k"',
      'fields_malformed',
    ],
  ])('is refused: %s', (_name, input, signature, reason) => {
    expect(outcome(received(input, signature))).toBe(reason)
  })

  it('is refused when Signature-Input was stripped', () => {
    const stripped = received('', `ocm=${good}`, { 'Signature-Input': undefined })
    expect(outcome(stripped)).toBe('label_mismatch')
  })
})

describe('the label era of draft-05', () => {
  const untagged = `;created=${created};keyid="${keyId}"`

  it('accepts an untagged signature labelled ocm that covers date', () => {
    const input = `${fourComponents.slice(0, -1)} "date")${untagged}`
    expect(verifySignature(inspected(signedWith(input)), publicJwk)).toEqual({ ok: true })
  })

  it('refuses one that does not', () => {
    expect(outcome(signedWith(`${fourComponents}${untagged}`))).toBe('component_missing')
  })

  it('knows no other label', () => {
    const input = `${fourComponents}${untagged}`
    expect(outcome(received(`x=${input}`, `x=${genuineSignature(input)}`))).toBe('unsigned')
  })
})

describe('signature parameters', () => {
  const key = `;keyid="${keyId}"`

  it.each([
    ['created missing (C6)', key, 'created_invalid'],
    ['created a string (C6)', `;created="never"${key}`, 'created_invalid'],
    ['created a digit string', `;created="${created}"${key}`, 'created_invalid'],
    ['created fractional (C6)', `;created=${created}.5${key}`, 'created_invalid'],
    ['created a flag', `;created${key}`, 'created_invalid'],
    ['expires a string (C6)', `;created=${created};expires="x"${key}`, 'expires_invalid'],
    ['expires past (C6)', `;created=${created};expires=${created + 9}${key}`, 'expired'],
    ['keyid missing (C7)', `;created=${created}`, 'keyid_invalid'],
    ['keyid empty', `;created=${created};keyid=""`, 'keyid_invalid'],
    ['keyid a token', `;created=${created};keyid=key1`, 'keyid_invalid'],
    [
      'keyid of 2049 characters',
      `;created=${created};keyid="${'k'.repeat(2049)}"`,
      'keyid_invalid',
    ],
    ['alg a token', `;created=${created}${key};alg=ed25519`, 'alg_unsupported'],
    ['alg hmac-sha256 (C9)', `;created=${created}${key};alg="hmac-sha256"`, 'alg_unsupported'],
    ['alg rsa-pss-sha512', `;created=${created}${key};alg="rsa-pss-sha512"`, 'alg_unsupported'],
    ['alg in capitals', `;created=${created}${key};alg="ED25519"`, 'alg_unsupported'],
    ['alg a property of Object', `;created=${created}${key};alg="toString"`, 'alg_unsupported'],
  ])('are refused: %s', (_name, text, reason) => {
    expect(outcome(withParameters(text))).toBe(reason)
  })

  it.each([
    ['expires this very second', `;created=${created};expires=${created + 10}${key}`],
    ['keyid of 2048 characters', `;created=${created};keyid="${'k'.repeat(2048)}"`],
    ['no alg', `;created=${created}${key}`],
    ['a nonce and an unknown parameter', `;created=${created}${key};nonce="n";x=?0`],
  ])('are accepted: %s', (_name, text) => {
    expect(verifySignature(inspected(withParameters(text)), publicJwk)).toEqual({ ok: true })
  })

  it.each([
    [-300, 'inspected'],
    [-301, 'created_stale'],
    [60, 'inspected'],
    [61, 'created_future'],
  ])('with created %i s from now: %s (C6)', (offset, expected) => {
    expect(outcome(signedWith(goodInput), { nowSeconds: created - offset })).toBe(expected)
  })
})

describe('covered components', () => {
  const names = ['@method', '@target-uri', 'content-digest', 'content-length']

  it.each(names)('must include %s (C3)', (left) => {
    const list = names.filter((name) => name !== left).map((name) => `"${name}"`)
    expect(outcome(signedWith(`(${list.join(' ')})${parameters}`))).toBe('component_missing')
  })

  it.each([';key="sha-256"', ';bs', ';sf', ';req', ';tr', ';bs=?0'])(
    'do not count with the parameter %s (C4)',
    (parameter) => {
      const input = fourComponents.replace('"content-digest"', `"content-digest"${parameter}`)
      expect(outcome(signedWith(`${input}${parameters}`))).toBe('component_missing')
    },
  )

  it.each([
    ['one twice', '"@method"', 'component_duplicate'],
    ['upper case', '"Date"', 'component_malformed'],
    ['an upper-case derived one', '"@Path"', 'component_unknown'],
    ['a token', 'date', 'component_malformed'],
    ['a name that is no field name', '"a b"', 'component_malformed'],
    ['an empty name', '""', 'component_malformed'],
    ['a line break to be', '"date: x"', 'component_malformed'],
    ['@status', '"@status"', 'component_unknown'],
    ['@query-param', '"@query-param"', 'component_unknown'],
    ['@signature-params', '"@signature-params"', 'component_unknown'],
    ['a variant beside the bare one', '"content-digest";bs', 'component_parameterised'],
    ['a field that is not there', '"x-absent"', 'component_absent'],
  ])('are refused with %s', (_name, extra, reason) => {
    const input = `${fourComponents.slice(0, -1)} ${extra})${parameters}`
    expect(outcome(signedWith(input))).toBe(reason)
  })

  it.each(['@authority', '@scheme', '@path', '@query', '@request-target', 'host', 'content-type'])(
    'may include %s',
    (extra) => {
      const input = `${fourComponents.slice(0, -1)} "${extra}")${parameters}`
      expect(verifySignature(inspected(signedWith(input)), publicJwk)).toEqual({ ok: true })
    },
  )

  it('cannot hold bytes outside ASCII (RFC 9421 §2.5)', () => {
    const input = `${fourComponents.slice(0, -1)} "x-name")${parameters}`
    expect(outcome(signedWith(input, { 'x-name': 'caf\u00e9' }))).toBe('component_unsignable')
    expect(outcome(signedWith(input, { 'x-name': 'a\nb' }))).toBe('component_unsignable')
  })
})

describe('digest and length', () => {
  it.each([
    [
      'a changed body',
      { body: Buffer.from('{"shareWith":"mario@ours.example.org"}') },
      'digest_mismatch',
    ],
    ['a longer body', { body: Buffer.concat([body, body]) }, 'digest_mismatch'],
    ['an empty body', { body: new Uint8Array() }, 'digest_mismatch'],
  ])('are compared with the raw bytes: %s', (_name, change, reason) => {
    expect(outcome({ ...signedWith(goodInput), ...change })).toBe(reason)
  })

  it.each([
    ['too small', '5', 'length_mismatch'],
    ['not canonical', `0${body.length}`, 'length_mismatch'],
    ['not a number', 'many', 'length_mismatch'],
    ['repeated', `${body.length}, ${body.length}`, 'length_mismatch'],
  ])('refuse a signed Content-Length that is %s', (_name, length, reason) => {
    expect(outcome(signedWith(goodInput, { 'content-length': length }))).toBe(reason)
  })

  it('refuse a second Content-Length line', () => {
    const request = signedWith(goodInput)
    const rawHeaders = [...request.rawHeaders, 'Content-Length', String(body.length)]
    expect(outcome({ ...request, rawHeaders })).toBe('length_mismatch')
  })

  it('refuse a missing Content-Length when there is a body', () => {
    const request = received(`ocm=${goodInput}`, `ocm=${good}`, { 'content-length': undefined })
    expect(outcome(request)).toBe('component_absent')
  })

  it('tolerate a missing Content-Length when there is none, for clients drop the zero', () => {
    const empty = {
      'content-digest': 'sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:',
      'content-length': '0',
    }
    const signature = `ocm=${genuineSignature(goodInput, empty)}`
    const fields = { ...empty, 'content-length': undefined }
    const request = { ...received(`ocm=${goodInput}`, signature, fields), body: new Uint8Array() }
    expect(verifySignature(inspected(request), publicJwk)).toEqual({ ok: true })
  })

  it('see a digest in two lines as one field', () => {
    const request = signedWith(goodInput)
    const second = ['Content-Digest', 'sha-512=:AAAA:']
    expect(outcome({ ...request, rawHeaders: [...request.rawHeaders, ...second] })).toBe(
      'digest_mismatch',
    )
  })
})
