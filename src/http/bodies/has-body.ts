import type { IncomingMessage } from 'node:http'

/** RFC 9112 §6.3: whether a body follows the head of this request. */
export const hasBody = (req: IncomingMessage): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
