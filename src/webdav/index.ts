/** webdav: guards the door, then serves WebDAV over a `FileTree`. */
export { createWebdav, type Webdav } from './create-webdav.ts'
export type { WebdavDeps } from './exchange.ts'
export type { ResourceVerbs } from './resources.ts'
export type { RequestHandler } from './server.ts'
export { treeOfFileSystem } from './file-system/tree-of-file-system.ts'
