import { expect } from '@jest/globals'
import type { Reply, Scratch, Sent, Who } from './support.ts'

interface Wish {
  scope?: 'exclusive' | 'shared'
  owner?: string
  headers?: Record<string, string>
}

export const lockInfo = ({ scope = 'exclusive', owner = '' }: Wish = {}): string =>
  `<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:${scope}/></D:lockscope>` +
  `<D:locktype><D:write/></D:locktype>${owner}</D:lockinfo>`

export const lockRequest = (path: string, as: Who, wish: Wish = {}): Sent => ({
  method: 'LOCK',
  path,
  as,
  headers: { 'Content-Type': 'application/xml', ...wish.headers },
  body: lockInfo(wish),
})

export const tokenOf = (reply: Reply): string =>
  /^<(urn:uuid:[0-9a-f-]{36})>$/.exec(String(reply.headers['lock-token']))?.[1] ?? ''

/** Locks and returns the token. */
export async function takeLock(
  scratch: Scratch,
  path: string,
  as: Who,
  wish: Wish = {},
): Promise<string> {
  const reply = await scratch.send(lockRequest(path, as, wish))
  expect([200, 201]).toContain(reply.status)
  const token = tokenOf(reply)
  expect(reply.body).toContain(`<D:locktoken><D:href>${token}</D:href></D:locktoken>`)
  return token
}

export const unlockRequest = (path: string, as: Who, token: string): Sent => ({
  method: 'UNLOCK',
  path,
  as,
  headers: { 'Lock-Token': `<${token}>` },
})

export async function release(
  scratch: Scratch,
  path: string,
  as: Who,
  token: string,
): Promise<void> {
  expect((await scratch.send(unlockRequest(path, as, token))).status).toBe(204)
}

/** The content of one property of one resource. */
export async function propertyOf(
  scratch: Scratch,
  path: string,
  as: Who,
  property: string,
): Promise<string> {
  const reply = await scratch.send({
    method: 'PROPFIND',
    path,
    as,
    headers: { Depth: '0', 'Content-Type': 'application/xml' },
    body: `<D:propfind xmlns:D="DAV:" xmlns:x="urn:x"><D:prop><${property}/></D:prop></D:propfind>`,
  })
  expect(reply.status).toBe(207)
  const [, prop = ''] = /<D:prop>(.*)<\/D:prop><D:status>HTTP\/1.1 200/s.exec(reply.body) ?? []
  return prop
}
