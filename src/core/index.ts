/** core: what has no protocol. */
export { AppError, type ErrorExtras, type ErrorKind } from './errors.ts'
export { authorityOf, parseAuthority } from './authority.ts'
export { epochSeconds, systemClock, type Clock } from './clock.ts'
export { createEventHub, type EventHub, type Events } from './events.ts'
export { newId, randomText } from './ids.ts'
export { createLogger, type Logger, type LogLevel, type LogOptions } from './log.ts'
export { createSealer, type Sealer } from './sealing.ts'
export { equalSecrets, hashSecret, Secret } from './secret.ts'
