import { expect } from '@jest/globals'
import type { Answer } from './http-request.ts'
import { expectEnvelope } from './invariants.ts'
import { leaksIn } from './secrets.ts'
import type { TestServer } from './start-server.ts'

/** What is said of a received share, without what says that it is in trouble just now. */
export function rememberedOf(server: TestServer, id: string): unknown {
  const { reader } = server.services().db.raw
  return reader
    .prepare(
      `SELECT name, resource_type, permissions, state, mount_name, seen, hex(sealed_access_token)
       FROM incoming_shares WHERE id = ?`,
    )
    .get(id)
}

/**
 * A refusal that a user of a mount may see: ours, not about the user's own credential, and without
 * anything of the other server's.
 */
export function expectOurs(server: TestServer, answer: Answer, secrets: Iterable<string>): void {
  const said = answer.text + answer.rawHeaders.join('\n')
  expect(answer.status).not.toBe(401)
  expect(answer.headers['www-authenticate']).toBeUndefined()
  if (answer.status >= 400) expectEnvelope(answer)
  const all = [...server.secrets, ...secrets]
  expect(leaksIn(said, all)).toEqual([])
  expect(leaksIn(server.log.text(), all)).toEqual([])
}
