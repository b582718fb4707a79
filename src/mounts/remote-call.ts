import type { Readable } from 'node:stream'
import type { TreePath } from '../files/index.ts'
import type { OutboundStreamResponse } from '../http/index.ts'

/** One WebDAV request to where a share lives; paths are below the root of the share. */
export interface RemoteRequest {
  readonly method: string
  readonly path: TreePath
  /** The URL ends in a slash (RFC 4918 §5.2); the root keeps the form its sender gave it. */
  readonly isCollection?: boolean
  /** Where COPY and MOVE lead (RFC 4918 §10.3). */
  readonly destination?: TreePath
  readonly headers?: Readonly<Record<string, string>>
  /** A stream can be sent once only. */
  readonly body?: string | Uint8Array | Readable
  /** Nobody else needs the parts of a streamed body. */
  readonly disposable?: boolean
  readonly signal?: AbortSignal
}

/**
 * Sends a request with whatever opens the share just now. The answer's status is never 401; its body
 * must be read to its end or destroyed.
 *
 * @throws MountError when the sender cannot be asked, or nothing that we have opens the share.
 */
export type RemoteCall = (request: RemoteRequest) => Promise<OutboundStreamResponse>
