import type { Command } from 'commander'
import type { Actions } from '../context.ts'

export function addSecretCommands(program: Command, { deps, config, print }: Actions): void {
  const secret = program.command('secret').description('the key that seals secrets in the database')

  secret
    .command('rotate')
    .description('seal everything with a new secret.key; stop the server first')
    .action(async (_options: unknown, command: Command) => {
      const done = await deps.rotateSecret(config(command))
      const { file, resealed, continued } = done
      const begun = continued ? 'The rotation that was interrupted is complete. ' : ''
      const text = `${begun}${file} is new, and ${resealed} values are sealed with it. Backups from before need the former key.`
      print(command, { json: done, text })
    })
}
