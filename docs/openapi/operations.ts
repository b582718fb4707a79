import type { SchemaName } from './schemas.ts'

export const ref = (name: SchemaName) => ({ $ref: `#/components/schemas/${name}` })

const content = (name: SchemaName, ...types: string[]) =>
  Object.fromEntries(types.map((type) => [type, { schema: ref(name) }]))

export const json = 'application/json'
export const form = 'application/x-www-form-urlencoded'

export const describeAll = (error: SchemaName, statuses: Record<number, string>) =>
  Object.fromEntries(
    Object.entries(statuses).map(([status, description]) => [
      status,
      { description, content: content(error, json) },
    ]),
  )

const ours = {
  500: 'Our fault; the text names the id of the request',
  503: 'The database is busy; `Retry-After`',
}

const border = {
  408: 'The body is too slow',
  413: 'The body is too large',
  421: 'The `Host` is of another site',
  ...ours,
}

const untold = 'Anything else, such as 507 from a full disk'

/** An operation that anybody may ask for. */
export const get = (
  operationId: string,
  summary: string,
  answer: SchemaName,
  type = json,
  canFail = true,
) => ({
  operationId,
  summary,
  responses: {
    200: { description: 'As it is now; HEAD too', content: content(answer, type) },
    ...(canFail && describeAll('OcmError', { 500: ours[500] })),
    default: { description: untold, content: content('OcmError', json) },
  },
})

interface Post {
  readonly operationId: string
  readonly summary: string
  readonly description: string
  readonly reads: readonly [SchemaName, ...string[]]
  readonly success: Record<number, readonly [description: string, answer: SchemaName]>
  readonly error: 'OcmError' | 'OAuthError'
  readonly refusals: Record<number, string>
}

const signature = ['Content-Digest', 'Signature-Input', 'Signature'].map((name) => ({
  $ref: `#/components/parameters/${name}`,
}))

/** An operation of a peer's. */
export const post = ({
  operationId,
  summary,
  description,
  reads,
  success,
  error,
  refusals,
}: Post) => ({
  operationId,
  summary,
  description,
  parameters: signature,
  requestBody: { required: true, content: content(...reads) },
  responses: {
    ...Object.fromEntries(
      Object.entries(success).map(([status, [text, answer]]) => [
        status,
        { description: text, content: content(answer, json) },
      ]),
    ),
    ...describeAll(error, { ...refusals, ...border }),
    default: { description: untold, content: content(error, json) },
  },
})
