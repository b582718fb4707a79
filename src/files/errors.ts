import { AppError, type ErrorExtras } from '../core/index.ts'

const kinds = {
  not_found: 'not_found',
  exists: 'conflict',
  parent_missing: 'conflict',
  not_a_directory: 'conflict',
  is_a_directory: 'conflict',
  changed: 'conflict',
  locked: 'conflict',
  forbidden_name: 'invalid',
  reserved_name: 'forbidden',
  not_served: 'forbidden',
  left_out: 'forbidden',
  access_denied: 'forbidden',
  into_itself: 'forbidden',
  is_root: 'forbidden',
  no_space: 'no_space',
  too_large: 'too_large',
  busy: 'unavailable',
} as const

const messages: Record<FileErrorCode, string> = {
  not_found: 'Not found.',
  exists: 'Something is already there.',
  parent_missing: 'The directory to hold it does not exist.',
  not_a_directory: 'This is not a directory.',
  is_a_directory: 'This is a directory.',
  changed: 'It was changed in the meantime.',
  locked: 'It is locked.',
  forbidden_name: 'This name cannot be used.',
  reserved_name: 'This name is reserved.',
  not_served: 'What is there is neither a file nor a directory.',
  left_out: 'It holds something that is not served, and would be lost.',
  access_denied: 'The file system does not permit this.',
  into_itself: 'A directory cannot be put into itself or over its own parent.',
  is_root: 'The root of a tree cannot be replaced, moved or removed.',
  no_space: 'There is no space left.',
  too_large: 'The content is too large.',
  busy: 'Too many files are open; try again.',
}

export type FileErrorCode = keyof typeof kinds

/** Why a tree would not do what it was asked; everything else it throws is a surprise. */
export class FileError extends AppError<FileErrorCode> {
  constructor(code: FileErrorCode, extras?: ErrorExtras) {
    super(kinds[code], code, messages[code], extras)
  }
}

const byErrno: Readonly<Record<string, FileErrorCode>> = {
  ENOENT: 'not_found',
  // A symbolic link where O_NOFOLLOW wanted a file, or a socket where a file was opened.
  ELOOP: 'not_found',
  ENXIO: 'not_found',
  ENOTDIR: 'not_a_directory',
  EISDIR: 'is_a_directory',
  EEXIST: 'exists',
  ENOTEMPTY: 'exists',
  EACCES: 'access_denied',
  EPERM: 'access_denied',
  EROFS: 'access_denied',
  ENAMETOOLONG: 'forbidden_name',
  ENOSPC: 'no_space',
  EDQUOT: 'no_space',
  EFBIG: 'too_large',
  EMFILE: 'busy',
  ENFILE: 'busy',
}

/** The `errno` name of a system error, or ''. */
export function errnoOf(error: unknown): string {
  const code: unknown = typeof error === 'object' && error && 'code' in error ? error.code : ''
  return typeof code === 'string' ? code : ''
}

/** A system error in our words; `special` overrides the table where the caller knows better. */
export function toFileError(
  error: unknown,
  special: Readonly<Record<string, FileErrorCode>> = {},
): unknown {
  if (error instanceof AppError) return error
  const code = special[errnoOf(error)] ?? byErrno[errnoOf(error)]
  return code === undefined ? error : new FileError(code, { cause: error })
}

/** Where absence of a parent shows as ENOENT or ENOTDIR. */
export const missingParent = { ENOENT: 'parent_missing', ENOTDIR: 'parent_missing' } as const
