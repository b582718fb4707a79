import { AppError, type ErrorKind } from '../core/index.ts'

const kinds = {
  job_not_found: 'not_found',
  job_running: 'conflict',
} as const satisfies Record<string, ErrorKind>

export class JobError extends AppError<keyof typeof kinds> {
  constructor(code: keyof typeof kinds, message: string) {
    super(kinds[code], code, message)
  }
}
