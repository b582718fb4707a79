import type { IncomingMessage } from 'node:http'

/** What a handler may add to the request's log line: names and ids, never a secret. */
export interface RequestNotes {
  peer?: string | undefined
  principal?: string | undefined
  jti?: string | undefined
  shareId?: string | undefined
}

interface RequestFacts extends RequestNotes {
  readonly requestId: string
}

/** Keyed by the request itself, so that it works the same with and without Express. */
const facts = new WeakMap<IncomingMessage, RequestFacts>()

/** Begins the bag of one request. */
export function beginRequest(req: IncomingMessage, requestId: string): RequestFacts {
  const bag = { requestId }
  facts.set(req, bag)
  return bag
}

/** The id under which this request is logged; `undefined` for one that is not logged. */
export const requestIdOf = (req: IncomingMessage): string | undefined => facts.get(req)?.requestId

/** Adds what a handler learnt to the log line of this request. */
export function noteRequest(req: IncomingMessage, notes: RequestNotes): void {
  const bag = facts.get(req)
  if (bag !== undefined) Object.assign(bag, notes)
}
