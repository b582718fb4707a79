import { expect } from '@jest/globals'
import { tokenOf } from '../locking.ts'
import type { Reply, Scratch, Who } from '../support.ts'

/** The same folder for its owner, and for whoever it is shared with. */
export const places = [
  { who: 'its owner', as: 'alice', base: '/dav/files/alice/shared/' },
  { who: 'whom it is shared with', as: 'writer', base: '/dav/ocm/' },
] as const

interface Step {
  headers?: Record<string, string>
  body?: string | Buffer
  chunked?: boolean
}

interface Habits {
  as: Who
  base: string
  /** What the program sends with every request. */
  always: Record<string, string>
}

/** A client program at one place: each step names the status that lets it go on. */
export function clientOf(scratch: Scratch, { as, base, always }: Habits) {
  async function step(method: string, path: string, status: number, more: Step = {}) {
    const { headers = {}, ...body } = more
    const sent = { method, path: base + path, as, headers: { ...always, ...headers }, ...body }
    const reply = await scratch.send(sent)
    expect([method, path, reply.status]).toEqual([method, path, status])
    return reply
  }

  /** The whole URL, as every one of these programs sends it. */
  const url = (path: string): string => `http://localhost:${scratch.port}${base}${path}`

  const lockedStep = async (path: string, status: number, more: Step): Promise<string> => {
    const token = tokenOf(await step('LOCK', path, status, more))
    expect(token).not.toBe('')
    return token
  }

  return {
    step,
    url,
    lock: lockedStep,
    unlock: (path: string, token: string, status = 204): Promise<Reply> =>
      step('UNLOCK', path, status, { headers: { 'Lock-Token': `<${token}>` } }),
  }
}

export type Client = ReturnType<typeof clientOf>

/** The properties that a Multi-Status gives with 200, one response after the other. */
export const found = ({ body }: Reply): string[] =>
  [...body.matchAll(/<D:prop>((?:(?!<\/D:prop>).)*)<\/D:prop><D:status>HTTP\/1.1 200/gs)].map(
    ([, properties = '']) => properties,
  )

export const hrefs = ({ body }: Reply): string[] =>
  [...body.matchAll(/<D:response><D:href>([^<]*)</g)].map(([, href = '']) => href)

export const xml = (root: string): string => `<?xml version="1.0" encoding="utf-8"?>\n${root}`

/** A propfind for these properties of DAV:. */
export const asking = (names: readonly string[]): string =>
  xml(
    `<D:propfind xmlns:D="DAV:"><D:prop>${names.map((name) => `<D:${name}/>`).join('')}` +
      '</D:prop></D:propfind>',
  )
