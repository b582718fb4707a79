import { request as send, type Agent, type IncomingMessage } from 'node:http'

export interface RequestOptions {
  readonly method?: string
  /** Pairs, where one name may come twice; Node sends them as they are. */
  readonly headers?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  readonly body?: string | Uint8Array
  /** The request target as sent, instead of the URL's own (which the parser has normalised). */
  readonly target?: string
  /** The body is only the beginning of what the headers promise. */
  readonly unfinished?: boolean
  /** Whose connections to use; by default those that all tests share. */
  readonly agent?: Agent
}

export interface Answer {
  readonly status: number
  /** Lower-case names; repeated fields joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly rawHeaders: readonly string[]
  readonly bytes: Buffer
  readonly text: string
  json(): Record<string, unknown>
}

/** One HTTP request by node:http alone: none of our code is in the client. */
export function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const { method = 'GET', body, target, unfinished = false, agent } = options
  const to = new URL(url)
  return new Promise((resolve, reject) => {
    const headers = pairs(options.headers)
    const has = (name: string) => headers.some(([given]) => given.toLowerCase() === name)
    if (!has('host')) headers.push(['Host', to.host])
    // Without this Node would send a chunked body for any method that may have one.
    const framed = has('content-length') || has('transfer-encoding')
    const length = body === undefined ? 0 : Buffer.byteLength(body)
    if (!framed && (body !== undefined || !['GET', 'HEAD'].includes(method))) {
      headers.push(['Content-Length', String(length)])
    }
    const call = send({
      host: to.hostname.replace(/^\[|\]$/g, ''),
      port: to.port,
      path: target ?? to.pathname + to.search,
      method,
      agent,
      headers: headers.flat() as unknown as Record<string, string>,
    })
    call.on('error', reject)
    call.on('response', (response) => void collect(response).then(resolve, reject))
    if (unfinished) call.write(body ?? '')
    else call.end(body)
  })
}

function pairs(headers: RequestOptions['headers'] = []): [string, string][] {
  const given = Array.isArray(headers)
    ? (headers as readonly (readonly [string, string])[])
    : Object.entries(headers as Readonly<Record<string, string>>)
  return given.map(([name, value]) => [name, value])
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(response.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return {
    status: response.statusCode ?? 0,
    headers,
    rawHeaders: response.rawHeaders,
    bytes,
    text: bytes.toString('utf8'),
    json: () => JSON.parse(bytes.toString('utf8')) as Record<string, unknown>,
  }
}

/** The values of a field, one per line of the answer. */
export const fieldLines = ({ rawHeaders }: Answer, name: string): string[] =>
  rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name.toLowerCase(),
  )
