/** notifications: what becomes of shares, told by peers and to peers. */
import { createDeliver } from './deliver.ts'
import type { NotificationsDeps } from './deps.ts'
import { createReceive } from './receive.ts'

export { noticeAnswerSchema, noticeSchema } from './wire.ts'

export type Notifications = ReturnType<typeof createNotifications>

export const createNotifications = (deps: NotificationsDeps) => ({
  receive: createReceive(deps),
  deliver: createDeliver(deps),
})
