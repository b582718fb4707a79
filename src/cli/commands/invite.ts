import type { Command } from 'commander'
import type { Invite } from '../../invites/index.ts'
import type { Actions } from '../context.ts'
import { instant, table } from '../output.ts'
import { contactJson } from './contact.ts'

const inviteJson = (invite: Invite) => ({
  ...invite,
  createdAt: instant(invite.createdAt),
  expiresAt: instant(invite.expiresAt),
  acceptedAt: instant(invite.acceptedAt),
})

export function addInviteCommands(program: Command, { run }: Actions): void {
  const invite = program.command('invite').description('make contacts on other servers')

  invite
    .command('create <user>')
    .description('an invite for one person on another server; shown this once')
    .action((user: string, _options: unknown, command: Command) =>
      run(command, async ({ invites }) => {
        const made = await invites.create(user)
        const until = instant(made.expiresAt)
        const text = `${made.invite}\nSend it to the person privately; it works once, until ${until}. There: davmesh invite accept USER ${made.invite}`
        return { json: { ...made, expiresAt: until }, text }
      }),
    )

  invite
    .command('accept <user> <invite>')
    .description('use an invite (string, token@host or link); who gave it becomes a contact')
    .action((user: string, text: string, _options: unknown, command: Command) =>
      run(command, async ({ invites }) => {
        const contact = await invites.accept(user, text)
        const said = `${contact.name} (${contact.address}) and ${user} are contacts now.`
        return { json: contactJson(contact), text: said }
      }),
    )

  invite
    .command('list')
    .description('show the invites users gave')
    .option('--user <user>', 'of this user only')
    .action(({ user }: { user?: string }, command: Command) =>
      run(command, async ({ invites }) => {
        const all = await invites.list(user)
        const rows = all.map((one) => [
          one.id,
          one.user,
          one.state,
          instant(one.expiresAt),
          one.acceptedBy,
        ])
        return {
          json: all.map(inviteJson),
          text: table(['id', 'user', 'state', 'expires', 'used by'], rows, 'There are no invites.'),
        }
      }),
    )

  invite
    .command('revoke <id>')
    .description('nobody can use the invite any more')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async ({ invites }) => {
        const revoked = await invites.revoke(id)
        return { json: inviteJson(revoked), text: `${id} is ${revoked.state}.` }
      }),
    )
}
