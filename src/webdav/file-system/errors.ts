import { v2 } from 'webdav-server'
import { FileError, toFileError, type FileErrorCode } from '../../files/index.ts'

/** By name in webdav-server's own table of errors. */
const codes: Partial<Record<keyof typeof v2.Errors, FileErrorCode>> = {
  ResourceNotFound: 'not_found',
  UnrecognizedResource: 'not_found',
  ResourceAlreadyExists: 'exists',
  IntermediateResourceMissing: 'parent_missing',
  WrongParentTypeForCreation: 'parent_missing',
  ExpectedAFileResourceType: 'is_a_directory',
  InsufficientStorage: 'no_space',
  IllegalArguments: 'forbidden_name',
  InvalidOperation: 'access_denied',
  Locked: 'access_denied',
  CannotLockResource: 'access_denied',
  NotEnoughPrivilege: 'access_denied',
  BadAuthentication: 'access_denied',
  Forbidden: 'access_denied',
}

// By message, because the file system may come with a webdav-server of its own.
const byMessage = new Map(
  Object.entries(codes).map(([name, code]) => [messageOf(name as keyof typeof codes), code]),
)

function messageOf(name: keyof typeof v2.Errors): string | undefined {
  const error: unknown = v2.Errors[name]
  return error instanceof Error ? error.message : undefined
}

const byStatus: Readonly<Record<number, FileErrorCode>> = {
  403: 'access_denied',
  404: 'not_found',
  409: 'parent_missing',
  413: 'too_large',
  423: 'access_denied',
  503: 'busy',
  507: 'no_space',
}

/** What a file system failed with, in our words where it is one of the expected failures. */
export function toTreeError(error: unknown): Error {
  if (!(error instanceof Error)) {
    return new Error('the file system failed without an error', { cause: error })
  }
  const status = 'HTTPCode' in error ? byStatus[Number(error.HTTPCode)] : undefined
  const code = status ?? byMessage.get(error.message)
  if (code !== undefined) return new FileError(code, { cause: error })
  const known = toFileError(error)
  return known instanceof Error ? known : error
}
