import { badRequest } from '../errors.ts'

export interface IfCondition {
  readonly not: boolean
  /** A state token without its angle brackets, or an entity tag with its quotes. */
  readonly token?: string
  readonly etag?: string
}

/** Conditions that have to hold together; one list that holds is enough for the header. */
export interface IfList {
  /** The resource that the list is about, or the request's own. */
  readonly resource: string | undefined
  readonly conditions: readonly IfCondition[]
}

const maxLength = 8192
const maxConditions = 128

const refuse = () => badRequest('The If header is malformed.')

/** White space, then one of: a tag or token in <>, an entity tag in [], a parenthesis, Not. */
const lexeme =
  /[ \t]*(?:<([^<>\s]+)>|\[((?:W\/)?"[\u0021\u0023-\u007e\u0080-\u00ff]*")\]|([()])|(not)(?=[ \t<[]))/iy

/** RFC 4918 §10.4.2 */
export function parseIfHeader(field: string): IfList[] {
  const text = field.trimEnd()
  if (text.length > maxLength) throw refuse()
  const lists: IfList[] = []
  const scan = createScanner(text)
  let resource: string | undefined
  let fresh = false
  let total = 0
  while (!scan.done()) {
    const { uri, bracket } = scan.next()
    if (uri !== undefined && lists.length > 0 === (resource !== undefined) && !fresh) {
      resource = uri
      fresh = true
    } else if (bracket === '(') {
      const conditions = readList(scan)
      total += conditions.length
      if (total > maxConditions) throw refuse()
      lists.push({ resource, conditions })
      fresh = false
    } else {
      throw refuse()
    }
  }
  if (lists.length === 0 || fresh) throw refuse()
  return lists
}

function readList(scan: Scanner): IfCondition[] {
  const conditions: IfCondition[] = []
  let not = false
  for (;;) {
    const { uri, etag, bracket, negation } = scan.next()
    if (uri !== undefined) conditions.push({ not, token: uri })
    else if (etag !== undefined) conditions.push({ not, etag })
    else if (negation !== undefined && !not) {
      not = true
      continue
    } else if (bracket === ')' && !not && conditions.length > 0) return conditions
    else throw refuse()
    not = false
  }
}

interface Scanner {
  done(): boolean
  next(): { uri?: string; etag?: string; bracket?: string; negation?: string }
}

function createScanner(text: string): Scanner {
  const pattern = new RegExp(lexeme)
  return {
    done: () => pattern.lastIndex >= text.length,
    next() {
      const match = pattern.exec(text)
      if (!match) throw refuse()
      const [, uri, etag, bracket, negation] = match as (string | undefined)[]
      return {
        ...(uri !== undefined && { uri }),
        ...(etag !== undefined && { etag }),
        ...(bracket !== undefined && { bracket }),
        ...(negation !== undefined && { negation }),
      }
    },
  }
}
