/** workers: several processes over one data directory, and what each asks of the others. */
export { countWorkers } from './count.ts'
export { prepareGenerations } from './generation.ts'
export {
  configurationVariable,
  isWorker,
  joinWorkers,
  slotVariable,
  type Colleagues,
} from './colleagues.ts'
export type { Setup } from './member.ts'
export { startWorkers, type Workers, type WorkersDeps } from './supervisor.ts'
