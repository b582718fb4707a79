/** http: the border. Bytes in (raw, limited), errors out (in dialects), one guarded way out. */
export { statusOf } from './status.ts'
export { fieldIssues, ValidationError } from './errors.ts'
export type { FieldIssue, HttpErrorCode } from './errors.ts'
export { asAppError } from './answers/as-app-error.ts'
export { endResponse } from './answers/end-response.ts'
export { endTogether } from './answers/end-together.ts'
export { oauthErrorSchema, ocmErrorSchema } from './answers/error-bodies.ts'
export { writeOAuthError, writeOcmError } from './answers/error-writers.ts'
export type { ErrorWriter } from './answers/error-writers.ts'
export { createErrorMiddleware } from './answers/error-middleware.ts'
export { readBody, type BodyLimits } from './bodies/read-body.ts'
export { paced, type Pace } from './bodies/paced.ts'
export { readMessage, type HttpMessage } from './bodies/read-message.ts'
export { hasBody } from './bodies/has-body.ts'
export { sendContinue } from './bodies/continue.ts'
export { mediaType } from './bodies/media-type.ts'
export { parseForm, type FormLimits } from './bodies/parse-form.ts'
export { parseJson, type JsonLimits } from './bodies/parse-json.ts'
export { createHttpServer } from './server/create-server.ts'
export type {
  HttpHandler,
  HttpServer,
  HttpServerOptions,
  ServerLimits,
} from './server/create-server.ts'
export { createRequestLog, type RequestEnd } from './server/request-log.ts'
export { noteRequest, requestIdOf, type RequestNotes } from './request-facts.ts'
export { createGuardedClient } from './outbound/client.ts'
export type {
  GuardedClient,
  GuardedClientOptions,
  OutboundRequest,
  OutboundResponse,
  OutboundStreamRequest,
  OutboundStreamResponse,
} from './outbound/contract.ts'
export type { HostLookup } from './outbound/connector.ts'
export { OutboundError, type OutboundErrorCode } from './outbound/errors.ts'
export { isPublicAddress } from './outbound/addresses.ts'
