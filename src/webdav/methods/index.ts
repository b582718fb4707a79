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

/** The one table of methods. */
export function createMethods(): Methods {
  const allow = names.join(', ')
  const table: Record<(typeof names)[number], DavMethod> = {
    OPTIONS: createOptions(allow),
    GET: get,
    HEAD: head,
    PUT: createPut(allow),
    DELETE: remove,
    MKCOL: createMkcol(allow),
    COPY: copy,
    MOVE: move,
    PROPFIND: createPropfind(),
    PROPPATCH: proppatch,
    LOCK: lock,
    UNLOCK: unlock,
  }
  return { allow, byName: new Map(Object.entries(table)) }
}
