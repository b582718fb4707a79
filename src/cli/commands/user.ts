import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { User } from '../../users/index.ts'
import type { Actions, CliServices } from '../context.ts'
import { facts, instant, table } from '../output.ts'
import { addPasswordCommands, readPassword } from './user-passwords.ts'

const addressOf = ({ config }: CliServices, user: User): string =>
  `${user.username}@${config.authority}`

const userJson = (services: CliServices, user: User) => ({
  id: user.id,
  username: user.username,
  address: addressOf(services, user),
  displayName: user.displayName,
  email: user.email,
  home: user.home,
  createdAt: instant(user.createdAt),
  disabledAt: instant(user.disabledAt),
})

export function addUserCommands(program: Command, actions: Actions): void {
  const { deps, run } = actions
  const user = program.command('user').description('local people and their app passwords')

  user
    .command('add <name>')
    .description('make a user; prints an app password once')
    .option('--display-name <name>', 'shown to peers')
    .option('--email <address>')
    .option('--home <dir>', 'folder of the own files; default: below files.root')
    .option('--password-stdin', 'read a password you chose from standard input instead')
    .action((name: string, options: AddOptions, command: Command) =>
      run(command, async (services) => {
        const password = options.passwordStdin ? await readPassword(deps) : undefined
        const home = options.home && resolve(options.home)
        const { displayName, email } = options
        const wanted = { username: name, displayName, email, home, password }
        const added = await services.users.addUser(wanted)
        const address = addressOf(services, added.user)
        const shown = added.password ?? null
        return {
          json: { username: added.user.username, address, password: shown },
          text: facts([
            ['user', added.user.username],
            ['address', address],
            ['password', shown ?? '(the one you chose)'],
          ]),
        }
      }),
    )

  user
    .command('list')
    .description('show all users')
    .action((_options: unknown, command: Command) =>
      run(command, async (services) => {
        const users = await services.users.listUsers()
        const rows = users.map((one) => [
          one.username,
          one.displayName,
          one.disabledAt === null ? 'active' : 'disabled',
          one.home,
        ])
        return {
          json: users.map((one) => userJson(services, one)),
          text: table(['user', 'name', 'state', 'home'], rows, 'There are no users yet.'),
        }
      }),
    )

  user
    .command('disable <name>')
    .description('refuse the user, and everybody the user shared with, from the next request on')
    .action((name: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const disabled = await services.users.disableUser(name)
        return { json: userJson(services, disabled), text: `${name} is disabled.` }
      }),
    )

  user
    .command('enable <name>')
    .description('let a disabled user in again')
    .action((name: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const enabled = await services.users.enableUser(name)
        return { json: userJson(services, enabled), text: `${name} is enabled.` }
      }),
    )

  user
    .command('remove <name>')
    .description('forget a user with all passwords, shares and tokens')
    .option('--delete-files', 'delete the home folder too')
    .action((name: string, options: { deleteFiles?: boolean }, command: Command) =>
      run(command, async (services) => {
        const deleteFiles = options.deleteFiles === true
        const removed = await services.users.removeUser(name, { deleteFiles })
        const files = deleteFiles ? 'deleted' : `left in ${removed.home}`
        return {
          json: { username: name, filesDeleted: deleteFiles },
          text: `${name} is removed; the files are ${files}.`,
        }
      }),
    )

  addPasswordCommands(user, actions)
}

interface AddOptions {
  displayName?: string
  email?: string
  home?: string
  passwordStdin?: boolean
}
