import type { ErrorRequestHandler } from 'express'
import type { Logger } from '../../core/index.ts'
import type { ErrorWriter } from './error-writers.ts'
import { logError } from './log-error.ts'

/**
 * The last middleware of a route group: logs the failure and writes it in the group's dialect.
 * Express's own final handler never answers, so its HTML and stacks never leave.
 */
export function createErrorMiddleware(write: ErrorWriter, log: Logger): ErrorRequestHandler {
  return (error: unknown, req, res, next) => {
    try {
      logError(log, req, error)
      write(res, error)
    } catch (fault) {
      next(fault)
    }
  }
}
