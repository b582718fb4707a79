import { createGuardedClient, type GuardedClientOptions } from '../../../../src/http/index.ts'
import type { RemoteCall, RemoteRequest } from '../../../../src/mounts/remote-call.ts'
import { captureLog } from '../../../support/captured-log.ts'

export interface Caller {
  readonly call: RemoteCall
  /** Every request that was sent, oldest first. */
  readonly sent: RemoteRequest[]
  close(): Promise<void>
}

/** The simplest `RemoteCall`: a credential that always opens what lies at and below a URL. */
export function callerOf(
  base: string,
  authorization: string,
  options: Partial<GuardedClientOptions> = {},
): Caller {
  const client = createGuardedClient({
    log: captureLog().log,
    allowHttp: true,
    allowPrivateNetworks: true,
    ...options,
  })
  const sent: RemoteRequest[] = []
  const urlOf = (path: readonly string[], isCollection = false): string =>
    [base, ...path.map(encodeURIComponent)].join('/') + (isCollection && path.length > 0 ? '/' : '')
  return {
    sent,
    async call(request) {
      sent.push(request)
      const { method, path, isCollection, destination, headers, body, signal } = request
      return client.stream({
        method,
        url: urlOf(path, isCollection),
        headers: {
          ...headers,
          authorization,
          ...(destination && { destination: urlOf(destination) }),
        },
        body,
        signal,
      })
    },
    close: () => client.close(),
  }
}
