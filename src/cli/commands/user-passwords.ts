import type { Command } from 'commander'
import { parseInstant } from '../arguments.ts'
import type { Actions, CliDeps } from '../context.ts'
import { facts, instant, table } from '../output.ts'

/** A password from standard input, without the newline that ends it. */
export const readPassword = async (deps: CliDeps): Promise<string> =>
  (await deps.readInput()).replace(/\r?\n$/, '')

export function addPasswordCommands(user: Command, { deps, run }: Actions): void {
  user
    .command('app-password <name>')
    .description('make another app password; prints it once')
    .option('--label <label>', 'what it is for')
    .option('--expires <date>', 'when it stops working', parseInstant)
    .action((name: string, options: AppPasswordOptions, command: Command) =>
      run(command, async ({ users }) => {
        const { label, expires: expiresAt } = options
        const made = await users.addAppPassword(name, { label, expiresAt })
        return {
          json: made,
          text: facts([
            ['user', made.username],
            ['label', made.label],
            ['password', made.password],
          ]),
        }
      }),
    )

  user
    .command('password <name>')
    .description('set the password a person chose, read from standard input')
    .requiredOption('--password-stdin', 'so that it stands in no history')
    .action((name: string, _options: unknown, command: Command) =>
      run(command, async ({ users }) => {
        await users.setPassword(name, await readPassword(deps))
        return { json: { username: name }, text: `${name} has a new password.` }
      }),
    )

  user
    .command('passwords <name>')
    .description('show what opens the files of a user; never the passwords themselves')
    .action((name: string, _options: unknown, command: Command) =>
      run(command, async ({ users }) => {
        const all = (await users.listPasswords(name)).map((one) => ({
          id: one.id,
          label: one.label,
          kind: one.kind,
          createdAt: instant(one.createdAt),
          expiresAt: instant(one.expiresAt),
        }))
        const head = ['id', 'label', 'kind', 'created', 'expires']
        const rows = all.map((one) => Object.values(one))
        return { json: all, text: table(head, rows, `${name} has no password.`) }
      }),
    )

  user
    .command('revoke-password <name> <id>')
    .description('end one password, from the next request on')
    .action((name: string, id: string, _options: unknown, command: Command) =>
      run(command, async ({ users }) => {
        await users.revokePassword(name, id)
        return { json: { username: name, id }, text: `Password ${id} of ${name} is revoked.` }
      }),
    )
}

interface AppPasswordOptions {
  label?: string
  expires?: number
}
