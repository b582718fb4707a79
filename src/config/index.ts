/** config: a file and a few variables become one frozen, typed value or a readable refusal. */
export { ConfigError, type ConfigFault } from './faults.ts'
export {
  loadConfig,
  receivedConfig,
  type Config,
  type ConfigOverrides,
  type LoadConfigOptions,
} from './load.ts'
export { configSchema, type ConfigFile } from './schema.ts'
