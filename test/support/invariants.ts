import { expect } from '@jest/globals'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { request, type Answer } from './http-request.ts'
import { leaksIn } from './secrets.ts'
import type { TestServer } from './start-server.ts'

export interface Allowed {
  /** Tables that the refusal itself writes. */
  readonly mayChange?: readonly string[]
  /** Requests our server may send meanwhile; none by default. */
  readonly outbound?: number
}

/** Every row of every table, as text; `except` names tables left out. */
export function dumpDatabase(server: TestServer, except: readonly string[] = []): string {
  const { reader } = server.services().db.raw
  const tables = reader
    .prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    .pluck()
    .all() as string[]
  const kept = tables.filter((name) => !except.includes(name) && !name.startsWith('sqlite_'))
  return JSON.stringify(
    kept.map((name) => [name, reader.prepare(`SELECT * FROM "${name}" ORDER BY 1`).all()]),
  )
}

/** Names, sizes, times and contents of everything under a folder. */
export async function hashTree(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  for (const name of names.sort()) {
    const facts = await stat(join(folder, name))
    hash.update(`${name}\n${facts.mode} ${facts.mtimeMs}\n`)
    if (facts.isFile()) hash.update(await readFile(join(folder, name)))
  }
  return hash.digest('hex')
}

/** CI5: a refusal is our envelope and tells nothing of the inside. */
export function expectEnvelope(answer: Answer): void {
  const { text, headers } = answer
  if (text !== '') {
    const type = headers['content-type'] ?? ''
    if (type.startsWith('application/json')) {
      const known = ['message', 'validationErrors', 'error', 'error_description']
      expect(known).toEqual(expect.arrayContaining(Object.keys(answer.json())))
    } else {
      expect(type).toMatch(/^(application|text)\/xml/)
      expect(text).toContain('<D:error xmlns:D="DAV:">')
    }
  }
  expect(text).not.toMatch(/\bat .+:\d+:\d+|node_modules|\.ts:|\.js:/)
  expect(text).not.toMatch(/\b(SELECT|INSERT|UPDATE|SQLITE|constraint)\b/)
  expect(text).not.toMatch(/davmesh-test-|\/(home|tmp|var|usr)\//)
  expect(text).not.toContain(process.cwd())
}

/**
 * The common invariants of a refused request (robustness §2): CI1 nothing stored, CI2 nobody asked,
 * CI3 no secret in log or answer, CI4 still alive, CI5 our envelope.
 */
export async function expectInvariants(
  server: TestServer,
  action: () => Promise<Answer | readonly Answer[]>,
  allowed: Allowed = {},
): Promise<readonly Answer[]> {
  const { root } = server.services().config.files
  const rows = dumpDatabase(server, allowed.mayChange)
  const tree = await hashTree(root)
  const calls = server.outboundCalls()
  const result = await action()
  const answers: readonly Answer[] = 'status' in result ? [result] : result
  expect(server.outboundCalls() - calls).toBe(allowed.outbound ?? 0)
  expect(dumpDatabase(server, allowed.mayChange)).toBe(rows)
  expect(await hashTree(root)).toBe(tree)
  expect(leaksIn(server.log.text(), server.secrets)).toEqual([])
  for (const answer of answers) {
    expect(leaksIn(answer.text + answer.rawHeaders.join('\n'), server.secrets)).toEqual([])
    if (answer.status >= 400) expectEnvelope(answer)
  }
  expect((await request(`${server.url}/.well-known/ocm`)).status).toBe(200)
  return answers
}
