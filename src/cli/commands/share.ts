import { Option, type Command } from 'commander'
import { parsePermissions, type ExchangeMode, type OutgoingShare } from '../../shares/index.ts'
import { parseInstant } from '../arguments.ts'
import type { Actions } from '../context.ts'
import { facts, instant, table, type Answer } from '../output.ts'

const pathText = (share: OutgoingShare): string => `/${share.path.join('/')}`

const shareJson = (share: OutgoingShare) => ({
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
  createdAt: instant(share.createdAt),
  sentAt: instant(share.sentAt),
  expiresAt: instant(share.expiresAt),
  revokedAt: instant(share.revokedAt),
})

/** A share that could not be delivered exists, but the command has failed. */
const sendingAnswer = (share: OutgoingShare): Answer => ({
  json: shareJson(share),
  text:
    share.state === 'sent'
      ? `Shared ${pathText(share)} with ${share.recipient} as ${share.id}.`
      : `Share ${share.id} was not delivered: ${share.problem ?? 'unknown reason'}\nTry again: davmesh share send ${share.id}`,
  ...(share.state !== 'sent' && { exitCode: 1 }),
})

export function addShareCommands(program: Command, { run }: Actions): void {
  const share = program.command('share').description('what local people give to other servers')

  share
    .command('create <user> <path> <address>')
    .description('share a file or folder with someone@another.host')
    .option('--permissions <list>', 'of read, write, share', 'read')
    .option('--expires <date>', 'when access ends', parseInstant)
    .option('--name <name>', 'what the recipient sees; default: the name of the file or folder')
    .option('--strict', 'only access tokens open it')
    .addOption(
      new Option('--legacy', 'the shared secret opens it, also for peers without tokens').conflicts(
        'strict',
      ),
    )
    .action(
      (user: string, path: string, address: string, options: CreateOptions, command: Command) =>
        run(command, async ({ shares }) => {
          const { name, expires: expiresAt } = options
          const permissions = parsePermissions(options.permissions)
          const mode = modeOf(options)
          const wanted = {
            owner: user,
            path,
            recipient: address,
            permissions,
            name,
            expiresAt,
            mode,
          }
          return sendingAnswer(await shares.createShare(wanted))
        }),
    )

  share
    .command('send <id>')
    .description('deliver a failed share once more')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async ({ shares }) => sendingAnswer(await shares.send(id))),
    )

  share
    .command('list')
    .description('show shares, newest first')
    .option('--user <name>', 'only of this user')
    .action((options: { user?: string }, command: Command) =>
      run(command, async ({ shares }) => {
        const all = await shares.listShares(options.user)
        const rows = all.map((one) => [
          one.id,
          one.owner,
          pathText(one),
          one.recipient,
          one.permissions.join(','),
          one.strict ? 'strict' : 'legacy',
          one.state,
          instant(one.expiresAt),
        ])
        const head = ['id', 'owner', 'path', 'recipient', 'permissions', 'mode', 'state', 'expires']
        return { json: all.map(shareJson), text: table(head, rows, 'There are no shares yet.') }
      }),
    )

  share
    .command('show <id>')
    .description('show one share')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async ({ shares }) => {
        const json = shareJson(await shares.getShare(id))
        const text = facts(Object.entries(json).map(([name, value]) => [name, valueText(value)]))
        return { json, text }
      }),
    )

  share
    .command('revoke <id>')
    .description('end a share with all its tokens, from the next request on')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async ({ shares }) => ({
        json: shareJson(await shares.revokeShare(id)),
        text: `Share ${id} is revoked.`,
      })),
    )
}

interface CreateOptions {
  permissions: string
  expires?: number
  name?: string
  strict?: boolean
  legacy?: boolean
}

function modeOf({ strict, legacy }: CreateOptions): ExchangeMode {
  if (strict) return 'strict'
  return legacy ? 'legacy' : 'auto'
}

const valueText = (value: unknown): string | null => {
  if (value === null) return null
  return Array.isArray(value) ? value.join(',') : JSON.stringify(value).replace(/^"|"$/g, '')
}
