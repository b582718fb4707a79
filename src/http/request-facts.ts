import type { IncomingMessage } from 'node:http'

/** What a handler may add to the request's log line: names and ids, never a secret. */
export interface RequestNotes {
  peer?: string | undefined
  principal?: string | undefined
  jti?: string | undefined
  shareId?: string | undefined
}

interface RequestFacts extends Required<RequestNotes> {
  readonly requestId: string
}

/** On the request itself, so that it works the same with and without Express. */
const facts = Symbol('facts')

interface Annotated extends IncomingMessage {
  [facts]?: RequestFacts
}

/** Begins the bag of one request. */
export function beginRequest(req: Annotated, requestId: string): RequestFacts {
  const none = undefined
  return (req[facts] = { requestId, peer: none, principal: none, jti: none, shareId: none })
}

/** The id under which this request is logged; `undefined` for one that is not logged. */
export const requestIdOf = (req: Annotated): string | undefined => req[facts]?.requestId

/** Adds what a handler learnt to the log line of this request. */
export function noteRequest(req: Annotated, notes: RequestNotes): void {
  const bag = req[facts]
  if (bag !== undefined) Object.assign(bag, notes)
}
