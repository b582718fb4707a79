import type { Command } from 'commander'
import { checkDatabase } from '../../db/index.ts'
import type { Actions } from '../context.ts'
import { table } from '../output.ts'

export function addDbCommands(program: Command, { deps, config, print, run }: Actions): void {
  const db = program.command('db').description('the database')

  db.command('migrate')
    .description('bring the schema up to date (starting the server does so too)')
    .action((_options: unknown, command: Command) => {
      const { applied, path } = deps.migrate(config(command))
      const text =
        applied.length === 0
          ? `${path} is up to date.`
          : `Applied ${applied.join(', ')} to ${path}.`
      print(command, { json: { path, applied }, text })
    })

  db.command('check')
    .description('look for damage')
    .action((_options: unknown, command: Command) =>
      run(command, (services) => {
        const problems = checkDatabase(services.db)
        const rows = problems.map(({ kind, detail }) => [kind, detail])
        return {
          json: problems,
          text: table(['kind', 'detail'], rows, 'The database is sound.'),
          ...(problems.length > 0 && { exitCode: 1 }),
        }
      }),
    )
}
