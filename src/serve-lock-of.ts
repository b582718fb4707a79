import { join } from 'node:path'
import type { Config } from './config/index.ts'

/** Where the server of a data directory says that it has it. */
export const serveLockOf = ({ dataDir }: Config): string => join(dataDir, 'serve.lock')
