import {
  bytesOf,
  innerListOf,
  maxFieldLength,
  readDictionary,
  type InnerList,
  type Member,
} from './dictionary.ts'

/** Why the two signature fields of a message name no single signature. */
export type SelectionProblem =
  | 'fields_too_large'
  | 'fields_malformed'
  /** A label or a parameter appears twice. */
  | 'fields_duplicate'
  /** A label stands in only one of the two fields (RFC 9421 §4). */
  | 'label_mismatch'
  | 'several_signatures'

export type Selection =
  | { readonly status: 'unsigned' }
  | { readonly status: 'refused'; readonly reason: SelectionProblem }
  | {
      readonly status: 'selected'
      readonly label: string
      readonly input: InnerList
      readonly bytes: Uint8Array
      /** False for the label era of OCM draft-05, which knows the signature by its label alone. */
      readonly tagged: boolean
    }

/**
 * Finds the one OCM signature of a message among foreign ones, which are parsed but never judged.
 * `fields` are combined values by lower-case name.
 */
export function selectSignature(
  fields: ReadonlyMap<string, string>,
  acceptUntagged: boolean,
): Selection {
  const inputField = fields.get('signature-input')
  const signatureField = fields.get('signature') ?? ''
  if (inputField === undefined) return selectWithoutInput(signatureField)
  if (inputField.length + signatureField.length > maxFieldLength) return refuse('fields_too_large')
  const inputs = readMembers(inputField, innerListOf)
  if (!inputs.ok) return refuse(inputs.reason)
  const signatures = readMembers(signatureField, bytesOf)
  if (!signatures.ok) return refuse(signatures.reason)
  if (!sameLabels(inputs.members, signatures.members)) return refuse('label_mismatch')

  const choice = choose(inputs.members, acceptUntagged)
  if (typeof choice === 'string') return refuse(choice)
  const bytes = choice && signatures.members.get(choice.label)
  return bytes ? { status: 'selected', ...choice, bytes } : { status: 'unsigned' }
}

/**
 * `Signature` alone is the draft-cavage form, another syntax and no business of RFC 9421. If it does
 * read as a dictionary of signatures, then its `Signature-Input` was lost or stripped.
 */
function selectWithoutInput(signatureField: string): Selection {
  if (signatureField.length > maxFieldLength) return refuse('fields_too_large')
  const signatures = readMembers(signatureField, bytesOf)
  if (!signatures.ok && signatures.reason !== 'fields_malformed') return refuse(signatures.reason)
  if (signatures.ok && signatures.members.size > 0) return refuse('label_mismatch')
  return { status: 'unsigned' }
}

function choose(
  inputs: ReadonlyMap<string, InnerList>,
  acceptUntagged: boolean,
): SelectionProblem | { label: string; input: InnerList; tagged: boolean } | undefined {
  const tagged: { label: string; input: InnerList; tagged: boolean }[] = []
  for (const [label, input] of inputs) {
    const tag = input[1].get('tag')
    // RFC 9421 §2.3: a String. Skipping a token `tag=ocm` would make a signed message unsigned.
    if (tag !== undefined && typeof tag !== 'string') return 'fields_malformed'
    if (tag === 'ocm') tagged.push({ label, input, tagged: true })
  }
  if (tagged.length > 1) return 'several_signatures'
  if (tagged[0]) return tagged[0]
  const labelled = inputs.get('ocm')
  if (!acceptUntagged || !labelled || labelled[1].has('tag')) return undefined
  return { label: 'ocm', input: labelled, tagged: false }
}

type Members<T> =
  | { readonly ok: true; readonly members: ReadonlyMap<string, T> }
  | { readonly ok: false; readonly reason: SelectionProblem }

/** Reads a dictionary whose members all have one type (RFC 9421 §4.1, §4.2). */
function readMembers<T>(field: string, convert: (member: Member) => T | undefined): Members<T> {
  const read = readDictionary(field)
  if (!read.ok) return { ok: false, reason: `fields_${read.problem}` }
  const members = new Map<string, T>()
  for (const [label, member] of read.members) {
    const value = convert(member)
    if (value === undefined) return { ok: false, reason: 'fields_malformed' }
    members.set(label, value)
  }
  return { ok: true, members }
}

const sameLabels = (one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>) =>
  one.size === other.size && [...one.keys()].every((label) => other.has(label))

const refuse = (reason: SelectionProblem): Selection => ({ status: 'refused', reason })
