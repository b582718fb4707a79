/** Something small that must be done again and again, and may be done twice. */
export interface Chore {
  /** What an operator calls it, e.g. `expire-tokens`. */
  readonly name: string
  readonly everySeconds: number
  /**
   * Does what there is to do.
   *
   * @param signal aborted when the process stops, or another one took the chore over.
   * @returns what was done, in words for the operator; `undefined` when there was nothing to do.
   */
  run(signal: AbortSignal): Promise<string | undefined>
}
