import type { Command } from 'commander'
import type { IncomingShare } from '../../shares/index.ts'
import type { Actions, CliServices } from '../context.ts'
import { instant, table } from '../output.ts'

const mountPath = ({ config }: CliServices, { mountName }: IncomingShare): string | null =>
  mountName === null ? null : `/${config.files.sharedFolder}/${mountName}`

/** With the sender's name where it says more, e.g. through whom the share came. */
function fromText({ sender, senderName }: IncomingShare): string {
  const says = senderName !== null && !sender.startsWith(`${senderName}@`)
  return says ? `${sender} (${senderName})` : sender
}

const receivedJson = (services: CliServices, share: IncomingShare) => ({
  id: share.id,
  user: share.user,
  sender: share.sender,
  senderName: share.senderName,
  owner: share.owner,
  name: share.name,
  resourceType: share.resourceType,
  permissions: share.permissions,
  state: share.state,
  mountPath: mountPath(services, share),
  createdAt: instant(share.createdAt),
  expiresAt: instant(share.expiresAt),
  problem: share.problem,
})

export function addReceivedCommands(program: Command, { run }: Actions): void {
  const received = program.command('received').description('what other servers give local people')

  received
    .command('list')
    .description('show received shares, newest first')
    .option('--user <name>', 'only for this user')
    .action((options: { user?: string }, command: Command) =>
      run(command, async (services) => {
        if (options.user !== undefined) await services.users.getUser(options.user)
        const all = await services.incoming.list(options.user)
        const rows = all.map((one) => [
          one.id,
          one.user,
          fromText(one),
          one.name,
          one.permissions?.join(','),
          one.state,
          mountPath(services, one),
          instant(one.createdAt),
          one.problem,
        ])
        const head = [
          'id',
          'user',
          'from',
          'name',
          'permissions',
          'state',
          'at',
          'since',
          'problem',
        ]
        const json = all.map((one) => receivedJson(services, one))
        return { json, text: table(head, rows, 'Nothing was received yet.') }
      }),
    )

  /** `received <name> <id>`: one verb of the service, and what to say when it is done. */
  function addVerb(
    name: string,
    description: string,
    verb: (
      services: CliServices,
      id: string,
      options: { force?: boolean },
    ) => Promise<IncomingShare>,
    done: (share: IncomingShare, services: CliServices) => string,
  ): Command {
    return received
      .command(`${name} <id>`)
      .description(description)
      .action((id: string, options: { force?: boolean }, command: Command) =>
        run(command, async (services) => {
          const share = await verb(services, id, options)
          return { json: receivedJson(services, share), text: done(share, services) }
        }),
      )
  }

  addVerb(
    'accept',
    'take a share',
    ({ incoming }, id) => incoming.accept(id),
    (share, services) => `Accepted ${share.id}: ${mountPath(services, share) ?? share.name}.`,
  )
  addVerb(
    'decline',
    'refuse a share, or give an accepted one back; its sender is told',
    ({ incoming }, id) => incoming.decline(id),
    ({ id }) => `Declined ${id}.`,
  )
  addVerb(
    'remove',
    'end a share here; its sender is told unless it knows',
    ({ incoming }, id, options) => incoming.remove(id, options),
    ({ id }) => `Removed ${id}.`,
  ).option('--force', 'tell nobody, and drop what is still owed to the sender')
  addVerb(
    'retry',
    'forget what went wrong and try again',
    ({ incoming }, id) => incoming.retry(id),
    ({ id, problem }) => problem ?? `Tried ${id} again.`,
  )
}
