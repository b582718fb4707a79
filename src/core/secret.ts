import { createHash } from 'node:crypto'
import { inspect } from 'node:util'

const mask = '[secret]'

/** A value that cannot print itself: logs, JSON, templates and `inspect` all show `[secret]`. */
export class Secret<T = string> {
  readonly #value: T

  constructor(value: T) {
    this.#value = value
  }

  /** The value itself, for the one place that must present it. */
  reveal(): T {
    return this.#value
  }

  toString(): string {
    return mask
  }

  toJSON(): string {
    return mask
  }

  [inspect.custom](): string {
    return mask
  }
}

/** SHA-256 as base64url: how a high-entropy secret is looked up without being stored. */
export const hashSecret = (value: string): string =>
  createHash('sha256').update(value).digest('base64url')
