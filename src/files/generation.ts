/** Tells changes of files apart over several processes: what is kept of them is forgotten in time. */
export interface Generation {
  /** Another number than before whenever another process has changed something. Cheap. */
  current(): number
  /** Called after a change of ours, and before it is acknowledged. */
  bump(): void
}

/** For a process that has the files to itself. */
export const noGeneration: Generation = { current: () => 0, bump: () => undefined }
