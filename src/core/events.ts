import { EventEmitter } from 'node:events'
import { eventCatalogue, type EventDescription } from './event-catalogue.ts'

type Catalogue = typeof eventCatalogue

type Member<Kind> = Kind extends readonly (infer Value)[]
  ? Value
  : Kind extends 'string'
    ? string
    : Kind extends 'string?'
      ? string | undefined
      : Kind extends 'number'
        ? number
        : boolean

/** What each event of the catalogue says. */
export type Events = {
  [Name in keyof Catalogue]: {
    -readonly [Key in keyof Catalogue[Name]['says']]: Member<Catalogue[Name]['says'][Key]>
  }
}

export const eventNames = Object.keys(eventCatalogue) as (keyof Events)[]

/** How loud the log line of an event is. */
export const eventLevel = (name: keyof Events): 'info' | 'debug' =>
  (eventCatalogue[name] as EventDescription).level ?? 'info'

/** One typed hub: rooms emit, the log and the metrics listen. */
export interface EventHub {
  emit<Name extends keyof Events>(name: Name, fact: Events[Name]): void
  onAny(listener: (name: keyof Events, fact: Events[keyof Events]) => void): void
}

export function createEventHub(): EventHub {
  const emitter = new EventEmitter()
  return {
    emit: (name, fact) => void emitter.emit('event', name, fact),
    onAny: (listener) => void emitter.on('event', listener),
  }
}
