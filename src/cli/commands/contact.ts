import type { Command } from 'commander'
import type { Contact } from '../../invites/index.ts'
import type { Actions } from '../context.ts'
import { instant, table } from '../output.ts'

export const contactJson = ({ address, name, source, addedAt }: Contact) => ({
  address,
  name,
  source,
  addedAt: instant(addedAt),
})

export function addContactCommands(program: Command, { run }: Actions): void {
  const contact = program.command('contact').description('people that users know elsewhere')

  contact
    .command('list <user>')
    .description('show whom a user knows')
    .action((user: string, _options: unknown, command: Command) =>
      run(command, async ({ contacts }) => {
        const all = await contacts.list(user)
        const rows = all.map((one) => [one.address, one.name, one.source, instant(one.addedAt)])
        return {
          json: all.map(contactJson),
          text: table(['address', 'name', 'source', 'added'], rows, `${user} has no contacts.`),
        }
      }),
    )

  contact
    .command('remove <user> <address>')
    .description('the person is a stranger again; shares that are there stay')
    .action((user: string, address: string, _options: unknown, command: Command) =>
      run(command, async ({ contacts }) => {
        await contacts.remove(user, address)
        return { json: { address }, text: `${address} is no contact of ${user} any more.` }
      }),
    )
}
