import type { DavMethod } from '../exchange.ts'
import type { Methods } from '../gate/gate.ts'
import { copy, move } from './copy-move.ts'
import { remove } from './delete.ts'
import { get, head } from './get.ts'
import { lock } from './lock.ts'
import { createMkcol } from './mkcol.ts'
import { createOptions } from './options.ts'
import { createPropfind } from './propfind.ts'
import { proppatch } from './proppatch.ts'
import { createPut } from './put.ts'
import { unlock } from './unlock.ts'

const names = [
  'OPTIONS',
  'GET',
  'HEAD',
  'PUT',
  'DELETE',
  'MKCOL',
  'COPY',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'LOCK',
  'UNLOCK',
] as const

/** RFC 9110 §10.2.1: a 405 does not list what it has just refused. */
const allowWithout = (...refused: readonly string[]): string =>
  names.filter((name) => !refused.includes(name)).join(', ')

/** The one table of methods. */
export function createMethods(): Methods {
  const allow = allowWithout()
  const allowOn = { file: allowWithout('MKCOL'), directory: allowWithout('MKCOL', 'PUT') }
  const table: Record<(typeof names)[number], DavMethod> = {
    OPTIONS: createOptions(allow),
    GET: get,
    HEAD: head,
    PUT: createPut(allowOn.directory),
    DELETE: remove,
    MKCOL: createMkcol(allowOn),
    COPY: copy,
    MOVE: move,
    PROPFIND: createPropfind(),
    PROPPATCH: proppatch,
    LOCK: lock,
    UNLOCK: unlock,
  }
  return { allow, byName: new Map(Object.entries(table)) }
}
