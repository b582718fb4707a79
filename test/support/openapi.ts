import { expect } from '@jest/globals'
import Ajv from 'ajv'
import { readFileSync } from 'node:fs'
import type { Answer } from './http-request.ts'

interface Content {
  readonly [mediaType: string]: { readonly schema: object }
}

interface Operation {
  readonly requestBody?: { readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly content: Content }>>
}

interface Contract {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

const file = new URL('../../docs/openapi.json', import.meta.url)

/** `docs/openapi.json`, as anybody else would read it. */
export const contract = JSON.parse(readFileSync(file, 'utf8')) as Contract

// What our schemas use means the same in draft-07, which this speaks, and in OpenAPI's 2020-12.
const ajv = new Ajv({ allErrors: true }).addSchema(contract, 'openapi')

const pointer = (...steps: string[]): string =>
  steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

function faults(value: unknown, ...steps: string[]): string[] {
  const validate = ajv.compile({ $ref: `openapi#${pointer(...steps, 'schema')}` })
  void validate(value)
  return (validate.errors ?? []).map(({ dataPath, message = '' }) => `${dataPath} ${message}`)
}

/** Whether a schema of the contract is one. */
export const schemaFaults = (name: string): unknown =>
  ajv.validateSchema(contract.components.schemas[name] ?? false) ? undefined : ajv.errors

/** What the contract says against a request body. */
export const requestFaults = (path: string, body: unknown): string[] =>
  faults(body, 'paths', path, 'post', 'requestBody', 'content', 'application/json')

/** Fails unless the contract has this answer: status, media type and body. */
export function expectDocumented(method: string, path: string, answer: Answer): void {
  const { responses } = contract.paths[path]?.[method] ?? { responses: {} }
  const status = String(answer.status)
  expect([path, Object.keys(responses)]).toEqual([path, expect.arrayContaining([status])])
  const [type = ''] = answer.headers['content-type']?.split(';') ?? []
  const where = ['paths', path, method, 'responses', status, 'content', type]
  expect([path, type, Object.keys(responses[status]?.content ?? {})]).toEqual([path, type, [type]])
  expect([path, status, faults(answer.json(), ...where)]).toEqual([path, status, []])
}
