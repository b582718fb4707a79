import { Option, type Command } from 'commander'
import { signingAlgorithms, type SigningAlgorithm, type SigningKey } from '../../keys/index.ts'
import type { Actions } from '../context.ts'
import { instant, table } from '../output.ts'

const keyJson = (key: SigningKey) => ({
  kid: key.kid,
  alg: key.alg,
  state: key.state,
  createdAt: instant(key.createdAt),
  activatedAt: instant(key.activatedAt),
  retiringAt: instant(key.retiringAt),
  retiredAt: instant(key.retiredAt),
})

export function addKeyCommands(program: Command, { run }: Actions): void {
  const key = program.command('key').description('the keys this server signs with')

  key
    .command('list')
    .description('show all keys and their state')
    .action((_options: unknown, command: Command) =>
      run(command, async ({ keys }) => {
        const all = await keys.list()
        const rows = all.map((one) => [one.kid, one.alg, one.state, instant(one.createdAt)])
        return {
          json: all.map(keyJson),
          text: table(['kid', 'alg', 'state', 'created'], rows, 'There are no keys.'),
        }
      }),
    )

  key
    .command('generate')
    .description('make and publish a key; it signs nothing until it is activated')
    .addOption(new Option('--alg <alg>').choices(signingAlgorithms).default('Ed25519'))
    .action((options: { alg: SigningAlgorithm }, command: Command) =>
      run(command, async ({ keys }) => {
        const made = await keys.generate(options.alg)
        return {
          json: keyJson(made),
          text: `${made.kid} is staged. Peers remember our keys for up to an hour; then: davmesh key activate ${made.kid}`,
        }
      }),
    )

  key
    .command('activate <kid>')
    .description('sign with this key from now on; the one before stays published')
    .action((kid: string, _options: unknown, command: Command) =>
      run(command, async ({ keys }) => {
        const active = await keys.activate(kid)
        return { json: keyJson(active), text: `${kid} is active.` }
      }),
    )

  key
    .command('retire <kid>')
    .description('unpublish a key; tokens signed with it are refused at once')
    .action((kid: string, _options: unknown, command: Command) =>
      run(command, async ({ keys }) => {
        const retired = await keys.retire(kid)
        return { json: keyJson(retired), text: `${kid} is retired.` }
      }),
    )
}
