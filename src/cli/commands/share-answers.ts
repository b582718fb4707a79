import type { OutgoingShare, Reshare } from '../../shares/index.ts'
import type { CliServices } from '../context.ts'
import { facts, instant, table, type Answer } from '../output.ts'

/** A share that one of our users gave, whether it is the user's own or passed on. */
export type ShownShare = ReturnType<typeof shareJson> | ReturnType<typeof reshareJson>

const pathText = (share: OutgoingShare): string => `/${share.path.join('/')}`

export const shareJson = (share: OutgoingShare) => ({
  id: share.id,
  owner: share.owner,
  path: pathText(share),
  name: share.name,
  resourceType: share.resourceType,
  recipient: share.recipient,
  permissions: share.permissions,
  strict: share.strict,
  state: share.state,
  problem: share.problem,
  resharedBy: share.resharedBy,
  createdAt: instant(share.createdAt),
  sentAt: instant(share.sentAt),
  expiresAt: instant(share.expiresAt),
  revokedAt: instant(share.revokedAt),
})

/** The same members; what it opens and for how long is as its owner gave it to our user. */
export const reshareJson = ({ config }: CliServices, reshare: Reshare) => ({
  id: reshare.id,
  owner: reshare.parent.owner,
  path: `/${config.files.sharedFolder}/${reshare.parent.mountName ?? reshare.parent.name}`,
  name: reshare.parent.name,
  resourceType: reshare.parent.resourceType,
  recipient: reshare.recipient,
  permissions: reshare.parent.permissions,
  strict: reshare.parent.strict,
  state: reshare.state,
  problem: reshare.problem,
  resharedBy: `${reshare.user}@${config.authority}`,
  createdAt: instant(reshare.createdAt),
  sentAt: null,
  expiresAt: instant(reshare.parent.expiresAt),
  revokedAt: instant(reshare.endedAt),
})

/** A share that could not be delivered exists, but the command has failed. */
export function sendingAnswer(json: ShownShare): Answer {
  const { id, path, owner, recipient, state, problem } = json
  const isDone = state === 'sent' || state === 'granted'
  const shared = `Shared ${path} with ${recipient} as ${id}.`
  if (isDone) {
    return { json, text: state === 'granted' ? `${shared} ${owner} gives it to them.` : shared }
  }
  const text = `Share ${id} was not delivered: ${problem ?? 'unknown reason'}\nTry again: davmesh share send ${id}`
  return { json, text, exitCode: 1 }
}

export function listAnswer(json: readonly ShownShare[]): Answer {
  const rows = json.map((one) => [
    one.id,
    one.owner,
    one.path,
    one.recipient,
    one.permissions?.join(','),
    one.strict ? 'strict' : 'legacy',
    one.state,
    one.expiresAt,
  ])
  const head = ['id', 'owner', 'path', 'recipient', 'permissions', 'mode', 'state', 'expires']
  return { json, text: table(head, rows, 'There are no shares yet.') }
}

export const oneAnswer = (json: ShownShare): Answer => ({
  json,
  text: facts(Object.entries(json).map(([name, value]) => [name, valueText(value)])),
})

const valueText = (value: unknown): string | null => {
  if (value === null) return null
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value).replace(/^"|"$/g, '')
}
