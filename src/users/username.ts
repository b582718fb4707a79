import { UserError } from './errors.ts'

/** Shorter than a refresh token (43), so that no name can be mistaken for one. */
const pattern = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,39}$/

export const isUsername = (text: string): boolean => pattern.test(text)

/** @throws UserError `bad_username`. */
export function parseUsername(text: string): string {
  if (isUsername(text)) return text
  throw new UserError(
    'bad_username',
    `"${text}" is no user name: use 1 to 40 letters, digits, ".", "_", "-" or "@", beginning with a letter or digit.`,
  )
}
