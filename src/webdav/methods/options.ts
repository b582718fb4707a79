import type { ServerResponse } from 'node:http'
import type { DavMethod } from '../exchange.ts'
import { sendEmpty } from '../reply.ts'

/** RFC 4918 §18 */
export function sendOptions(res: ServerResponse, allow: string): void {
  // Microsoft's clients look for MS-Author-Via before they write.
  sendEmpty(res, 200, { Allow: allow, DAV: '1, 2, 3', 'MS-Author-Via': 'DAV' })
}

export const createOptions = (allow: string): DavMethod => ({
  needs: [],
  body: 'ignored',
  run({ res }) {
    sendOptions(res, allow)
    return Promise.resolve()
  },
})
