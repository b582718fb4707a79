/** core: what has no protocol. */
export { AppError, type ErrorExtras, type ErrorKind } from './errors.ts'
export { andThen, lastly, orElse, type Awaitable } from './awaitable.ts'
export { authorityOf, parseAuthority } from './authority.ts'
export { epochSeconds, systemClock, type Clock } from './clock.ts'
export { isDeceptive, withoutDeception } from './deception.ts'
export { eventCatalogue, type EventDescription } from './event-catalogue.ts'
export { createEventHub, eventLevel, eventNames, type EventHub, type Events } from './events.ts'
export { armFault, reach, type FaultPoint } from './faults.ts'
export { freeMemory } from './free-memory.ts'
export { newId, randomText } from './ids.ts'
export { keepWeighed } from './keep-weighed.ts'
export { createLimiter, type Limiter } from './limiter.ts'
export { createLogger, setLogLevel, type Logger, type LogLevel, type LogOptions } from './log.ts'
export { createSealer, type Sealer } from './sealing.ts'
export {
  createSecretKey,
  loadSecretKey,
  newSecretKey,
  removePartialKeys,
  replaceSecretKey,
  requireSameSecretKey,
  type SecretKeys,
} from './secret-key.ts'
export { hashSecret, Secret } from './secret.ts'
export { settledWithin } from './settled-within.ts'
