import type { IncomingMessage } from 'node:http'
import type { AppError, ErrorKind, Logger } from '../../core/index.ts'
import { requestIdOf } from '../request-facts.ts'
import { asAppError } from './as-app-error.ts'

const warned: ReadonlySet<ErrorKind> = new Set<ErrorKind>(['upstream', 'unavailable', 'no_space'])

/**
 * Logs why a request failed: what the client did at info, what another server or the disk did at
 * warn, our own faults at error with their stack. The cause and detail go here and nowhere else.
 */
export function logError(log: Logger, req: IncomingMessage, thrown: unknown): void {
  const error = asAppError(thrown, req.destroyed)
  const fields = {
    requestId: requestIdOf(req),
    kind: error.kind,
    code: error.code,
    detail: error.detail,
  }
  if (error.kind === 'internal') {
    log.error({ ...fields, err: rootOf(error) }, error.message)
  } else if (warned.has(error.kind)) {
    log.warn({ ...fields, cause: causeText(error) }, error.message)
  } else {
    log.info({ ...fields, cause: causeText(error) }, error.message)
  }
}

/** The stack that tells where it broke is the first one thrown. */
const rootOf = (error: AppError): unknown => error.cause ?? error

const causeText = ({ cause }: AppError): string | undefined =>
  typeof cause === 'object' && cause !== null && 'message' in cause
    ? String(cause.message)
    : undefined
