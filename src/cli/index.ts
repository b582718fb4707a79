/** cli: gives an operator the verbs the server has. */
export type { CliDeps, CliServices, RunningServer } from './context.ts'
export { runCli } from './program.ts'
