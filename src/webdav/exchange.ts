import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AuthChain, Permission, Principal } from '../auth/index.ts'
import type { Awaitable, Clock, Logger } from '../core/index.ts'
import type { FileTree, TreePath } from '../files/index.ts'
import type { BodyLimits, Pace } from '../http/index.ts'
import type { IfList } from './conditions/if-header.ts'
import type { ResourceVerbs } from './resources.ts'
import type { Uploads } from './uploads.ts'

export interface WebdavDeps {
  readonly chain: AuthChain
  /** The tree of the user, or of the share; `undefined` is answered like anything missing. */
  readonly openTree: (principal: Principal) => Awaitable<FileTree | undefined>
  /** Locks and dead properties. */
  readonly resources: ResourceVerbs
  readonly publicUrl: URL
  readonly maxXmlBytes: number
  readonly maxUploadBytes: number
  /** How long bodies that are no uploads may take; the border's own limits if absent. */
  readonly smallBodyTimes?: Pick<BodyLimits, 'idleMs' | 'totalMs'>
  /** How slowly an upload may come. */
  readonly uploadPace?: Pace
  /** What uploads leave free of a disk, or a twentieth of it if that is less. */
  readonly keepFreeBytes?: number
  readonly log: Logger
  /** Whether a PROPFIND may ask for everything below a directory (RFC 4918 §9.1). */
  readonly infiniteDepth?: boolean
  /** Whether a first segment under `/dav/ocm/` names a share rather than a member of one. */
  readonly isShareId: (segment: string) => boolean
  /** Named in the one challenge that does not come from the chain (RFC 6750 §3.1). */
  readonly realm?: string
  /** The client's address, resolved through trusted proxies. */
  readonly addressOf?: (req: IncomingMessage) => string
  /** The id under which the request is logged elsewhere. */
  readonly requestIdOf?: (req: IncomingMessage) => string | undefined
  readonly clock?: Clock
  /** Told whose request it is as soon as that is known, for the log. */
  readonly onIdentified?: (req: IncomingMessage, principal: Principal) => void
}

export interface Settings extends Required<WebdavDeps> {
  readonly uploads: Uploads
}

/** A request target inside the tree that the credential opens. */
export interface Place {
  /** The tree's own URL path, encoded, without a trailing slash. */
  readonly base: string
  readonly path: TreePath
  readonly trailingSlash: boolean
}

export type Depth = '0' | '1' | 'infinity'

/** Request fields that only WebDAV knows, already checked. */
export interface DavFields {
  readonly depth: Depth | undefined
  /** RFC 4918 §10.6: absent means true. */
  readonly overwrite: boolean
  /** Where COPY and MOVE lead, in the same tree. */
  readonly destination: TreePath | undefined
  readonly ifLists: readonly IfList[] | undefined
}

/** One admitted request: whose it is, where it leads and what it may do are settled. */
export interface Exchange {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly settings: Settings
  readonly principal: Principal
  readonly permissions: readonly Permission[]
  readonly place: Place
  readonly tree: FileTree
  readonly fields: DavFields
}

/** One WebDAV method; everything the gate needs to know of it before it runs. */
export interface DavMethod {
  /** On the resource of the request; on where COPY and MOVE lead it is always `write`. */
  readonly needs: readonly Permission[]
  /** The resource leaves the directory it is in, so what is permitted there counts. */
  readonly departs?: true
  /** `none` refuses a body, `ignored` reads over it. */
  readonly body: 'none' | 'ignored' | 'xml' | 'content'
  /** Whether `Depth` means something to it. */
  readonly depth?: true
  readonly destination?: true
  readonly run: (exchange: Exchange) => Awaitable<void>
}
