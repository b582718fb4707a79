import { availableParallelism } from 'node:os'

/** How many processes `workers` means on this machine. */
export const countWorkers = (workers: number | 'auto'): number =>
  workers === 'auto' ? availableParallelism() : workers
