import { distance } from 'fastest-levenshtein'
import type { z } from 'zod'

/** One thing wrong with the configuration: where, what, and how to put it right. */
export interface ConfigFault {
  /** Dotted path, e.g. `tokens.ttlSeconds`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
}

/** Every fault at once; the command line answers it with exit status 78 (EX_CONFIG). */
export class ConfigError extends Error {
  readonly source: string
  readonly faults: readonly ConfigFault[]

  constructor(source: string, faults: readonly ConfigFault[]) {
    const lines = faults.map(({ path, message }) => `  ${path === '' ? '' : `${path}: `}${message}`)
    super(`The configuration (${source}) cannot be used:\n${lines.join('\n')}`)
    this.name = 'ConfigError'
    this.source = source
    this.faults = faults
  }
}

interface ObjectSchema {
  shape?: Record<string, unknown>
  def?: { innerType?: unknown; options?: readonly unknown[] }
}

/** The keys allowed at a path, looking through defaults and optional wrappers. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let current = schema as ObjectSchema | undefined
  const unwrap = () => {
    while (current?.shape === undefined && current?.def?.innerType !== undefined) {
      current = current.def.innerType as ObjectSchema
    }
  }
  unwrap()
  for (const key of path) {
    current = current?.shape?.[String(key)] as ObjectSchema | undefined
    unwrap()
  }
  return Object.keys(current?.shape ?? {})
}

const nearest = (key: string, known: readonly string[]): string | undefined =>
  known.toSorted((one, other) => distance(key, one) - distance(key, other))[0]

/** zod's issues in our words: by path, unknown keys with the nearest known one. */
export function describeIssues(
  schema: z.ZodType,
  issues: readonly z.core.$ZodIssue[],
): ConfigFault[] {
  return issues.flatMap((issue) => {
    const at = issue.path.map(String)
    if (issue.code !== 'unrecognized_keys') return [{ path: at.join('.'), message: issue.message }]
    const known = keysAt(schema, issue.path)
    return issue.keys.map((key) => {
      const guess = nearest(key, known)
      const hint = guess === undefined ? 'remove it' : `did you mean "${guess}"? Else remove it`
      return { path: [...at, key].join('.'), message: `unknown key; ${hint}` }
    })
  })
}

const kindOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`

/** zod's error hook: what is wanted, in a sentence that follows the path. */
export const explainIssue: z.core.$ZodErrorMap = (issue) => {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined
        ? `is required (${issue.expected})`
        : `must be of type ${issue.expected}, not ${kindOf(issue.input)}`
    case 'too_small':
      return `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    case 'invalid_value':
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`
    default:
      return undefined
  }
}
