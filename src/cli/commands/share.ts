import { Option, type Command } from 'commander'
import { isReshareId, parsePermissions, type ExchangeMode } from '../../shares/index.ts'
import { parseInstant } from '../arguments.ts'
import type { Actions, CliServices } from '../context.ts'
import {
  listAnswer,
  oneAnswer,
  reshareJson,
  sendingAnswer,
  shareJson,
  type ShownShare,
} from './share-answers.ts'
import { checkReshareOptions } from './reshare-options.ts'

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
        run(command, async (services) => {
          const { shares, reshares } = services
          const { name, expires: expiresAt } = options
          const permissions = parsePermissions(options.permissions)
          const parent = await reshares.findParent(user, path)
          if (parent) {
            checkReshareOptions(command, permissions, parent)
            const reshare = await reshares.request(user, parent.id, address)
            return sendingAnswer(reshareJson(services, reshare))
          }
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
          return sendingAnswer(shareJson(await shares.createShare(wanted)))
        }),
    )

  share
    .command('send <id>')
    .description('deliver a failed share once more')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async (services) => sendingAnswer(await one(services, id, 'send'))),
    )

  share
    .command('list')
    .description('show shares, newest first, also those that were received and passed on')
    .option('--user <name>', 'only of this user')
    .action((options: { user?: string }, command: Command) =>
      run(command, async (services) => {
        const own = (await services.shares.listShares(options.user)).map(shareJson)
        const passedOn = await services.reshares.list(options.user)
        const all = [...own, ...passedOn.map((reshare) => reshareJson(services, reshare))]
        return listAnswer(all.sort(newestFirst))
      }),
    )

  share
    .command('show <id>')
    .description('show one share')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async (services) => oneAnswer(await one(services, id, 'get'))),
    )

  share
    .command('revoke <id>')
    .description('end a share with all its tokens, from the next request on')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const json = await one(services, id, 'revoke')
        return { json, text: endText(json) }
      }),
    )
}

/** One verb on a share, whichever of the two kinds its id is of. */
async function one(
  services: CliServices,
  id: string,
  verb: 'get' | 'send' | 'revoke',
): Promise<ShownShare> {
  const { shares, reshares } = services
  if (isReshareId(id)) {
    const verbs = { get: reshares.get, send: reshares.send, revoke: reshares.undo }
    return reshareJson(services, await verbs[verb](id))
  }
  const verbs = { get: shares.getShare, send: shares.send, revoke: shares.revokeShare }
  return shareJson(await verbs[verb](id))
}

const endText = ({ id, state, owner }: ShownShare): string =>
  state === 'undone'
    ? `Share ${id} is undone; the server of ${owner} ends it as soon as it hears of this.`
    : `Share ${id} is revoked.`

/** ISO 8601 sorts as text. */
const newestFirst = (one: ShownShare, other: ShownShare): number =>
  (other.createdAt ?? '').localeCompare(one.createdAt ?? '')

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
