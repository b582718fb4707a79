import type { Command } from 'commander'
import type { Trouble } from '../../mounts/index.ts'
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

const receivedJson = (
  services: CliServices,
  share: IncomingShare,
  trouble: Trouble | undefined,
) => ({
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
  problem: trouble?.problem ?? null,
  problemSince: instant(trouble?.since),
})

const troubleText = (trouble: Trouble | undefined): string | undefined =>
  trouble?.since == null
    ? trouble?.problem
    : `${trouble.problem} (since ${String(instant(trouble.since))})`

function retryText(
  services: CliServices,
  share: IncomingShare,
  trouble: Trouble | undefined,
): string {
  const { id, state } = share
  if (trouble) return `Tried ${id} again: ${trouble.problem}`
  if (state !== 'accepted') return `Tried ${id} again; it is ${state}.`
  return `Tried ${id} again: it opens, at ${String(mountPath(services, share))}.`
}

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
        const troubles = await services.mounts.findTroubles(all)
        const rows = all.map((one, index) => [
          one.id,
          one.user,
          fromText(one),
          one.name,
          one.permissions?.join(','),
          one.state,
          mountPath(services, one),
          instant(one.createdAt),
          troubleText(troubles[index]),
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
        const json = all.map((one, index) => receivedJson(services, one, troubles[index]))
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
    done: (share: IncomingShare, services: CliServices, trouble?: Trouble) => string,
  ): Command {
    return received
      .command(`${name} <id>`)
      .description(description)
      .action((id: string, options: { force?: boolean }, command: Command) =>
        run(command, async (services) => {
          const share = await verb(services, id, options)
          const [trouble] = await services.mounts.findTroubles([share])
          const json = receivedJson(services, share, trouble)
          const text = done(share, services, trouble)
          return { json, text, ...(name === 'retry' && trouble && { exitCode: 1 }) }
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
    'forget what went wrong and try again now',
    ({ incoming }, id) => incoming.retry(id),
    (share, services, trouble) => retryText(services, share, trouble),
  )
}
