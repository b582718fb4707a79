import type { AddressedShare, IncomingShareRow } from './queries.ts'

/** A share we were given; instants in epoch milliseconds. */
export interface IncomingShare extends Omit<
  IncomingShareRow,
  'sealedSecret' | 'sealedAccessToken' | 'contentHash'
> {
  /** The user name of whom it is for. */
  readonly user: string
}

export function withoutSecret({ row, user }: AddressedShare): IncomingShare {
  const { sealedSecret: _secret, sealedAccessToken: _token, contentHash: _hash, ...shown } = row
  return { ...shown, user }
}
