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
  dueAt: instant(key.dueAt),
})

export function addKeyCommands(program: Command, { run }: Actions): void {
  const key = program.command('key').description('the keys this server signs with')

  key
    .command('list')
    .description('show all keys and their state')
    .action((_options: unknown, command: Command) =>
      run(command, async ({ keys }) => {
        const all = await keys.list()
        const rows = all.map((one) => [
          one.kid,
          one.alg,
          one.state,
          instant(one.createdAt),
          instant(one.dueAt),
        ])
        return {
          json: all.map(keyJson),
          text: table(['kid', 'alg', 'state', 'created', 'next step'], rows, 'There are no keys.'),
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
    .command('rotate')
    .description('let a new key follow the one in use, by itself, when every peer knows it')
    .addOption(new Option('--alg <alg>').choices(signingAlgorithms).default('Ed25519'))
    .option('--now', 'the key may be known to somebody else: end it at once, with all it signed')
    .action((options: { alg: SigningAlgorithm; now?: true }, command: Command) =>
      run(command, async ({ keys }) => {
        const made = await (options.now ? keys.rotateNow(options.alg) : keys.rotate(options.alg))
        const text = options.now
          ? `${made.kid} is active; all earlier keys are retired. Some peers refuse us for up to an hour.`
          : `${made.kid} is staged. A running server activates it after ${instant(made.dueAt)}, and retires the one before when its last token has ended.`
        return { json: keyJson(made), text }
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
