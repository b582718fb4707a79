import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { backupDatabase } from '../../db/index.ts'
import type { Actions } from '../context.ts'
import { table, type Streams } from '../output.ts'

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
    .description('look for damage, and for what database and files do not say alike')
    .action(async (_options: unknown, command: Command) => {
      const tell = (problems: Problems) => {
        const rows = problems.map(({ kind, detail }) => [kind, detail])
        return {
          json: problems,
          text: table(['kind', 'detail'], rows, 'The data are sound.'),
          ...(problems.length > 0 && { exitCode: 1 }),
        }
      }
      // Opening the services would bring an older database up to date.
      const damage = deps.findDamage(config(command))
      if (damage.length > 0) print(command, tell(damage))
      else await run(command, async (services) => tell(await services.check()))
    })

  db.command('backup <file>')
    .description('copy the database as it is now, also beside a running server')
    .action((file: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const path = resolve(file)
        await backupDatabase(services.db, path, tellProgress(deps.streams))
        const { size: bytes } = statSync(path)
        const text = `${path} is a whole copy (${bytes} bytes). Copy secret.key and the homes as well.`
        return { json: { path, bytes }, text }
      }),
    )
}

type Problems = readonly { readonly kind: string; readonly detail: string }[]

/** Each tenth, on a terminal. */
function tellProgress({ err }: Streams): ((done: number) => void) | undefined {
  if (!process.stderr.isTTY) return undefined
  let told = 0
  return (done) => {
    const tenth = Math.floor(done * 10)
    if (tenth > told) err(`${tenth * 10} %`)
    told = Math.max(told, tenth)
  }
}
