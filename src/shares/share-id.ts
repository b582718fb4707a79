import { newId } from '../core/index.ts'

/** A share's id, which is its `providerId` and stands in URLs: recognisable, so never a file name. */
export const newShareId = (): string => `shr-${newId()}`

export const isShareId = (text: string): boolean => /^shr-[A-Za-z0-9]{22}$/.test(text)
