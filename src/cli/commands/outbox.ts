import type { Command } from 'commander'
import type { OutboxEntry } from '../../outbox/index.ts'
import type { Actions } from '../context.ts'
import { instant, table } from '../output.ts'

const entryJson = (entry: OutboxEntry) => ({
  id: entry.id,
  kind: entry.kind,
  label: entry.label,
  peer: entry.peer,
  subject: entry.subject,
  state: entry.state,
  attempts: entry.attempts,
  nextAttemptAt: instant(entry.nextAttemptAt),
  lastError: entry.lastError,
  createdAt: instant(entry.createdAt),
})

const whyUntried = ({ state, subject }: OutboxEntry): string =>
  state === 'sending'
    ? 'another process sends it'
    : `an earlier message about ${subject} goes first`

export function addOutboxCommands(program: Command, { run }: Actions): void {
  const outbox = program.command('outbox').description('messages that other servers still get')

  outbox
    .command('list')
    .description('show what is not delivered, oldest first')
    .action((_options: unknown, command: Command) =>
      run(command, async (services) => {
        const all = await services.outbox.list()
        const rows = all.map((one) => [
          one.id,
          one.label,
          one.peer,
          one.subject,
          one.state,
          one.attempts,
          one.state === 'refused' ? null : instant(one.nextAttemptAt),
          one.lastError,
        ])
        const head = ['id', 'message', 'peer', 'about', 'state', 'attempts', 'next', 'last error']
        return { json: all.map(entryJson), text: table(head, rows, 'Nothing waits.') }
      }),
    )

  outbox
    .command('retry <id>')
    .description('try one now, also what was refused')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const { subject, label, peer } = await services.outbox.retry(id)
        await services.outbox.deliverNow(subject)
        const left = (await services.outbox.list()).find((entry) => entry.id === id)
        if (left === undefined) return { json: null, text: `${peer} took ${label}.` }
        const text = `${label} was not delivered: ${left.lastError ?? whyUntried(left)}`
        return { json: entryJson(left), text, exitCode: 1 }
      }),
    )

  outbox
    .command('drop <id>')
    .description('forget one; the other server is never told')
    .action((id: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const dropped = await services.outbox.drop(id)
        return { json: entryJson(dropped), text: `${dropped.label} to ${dropped.peer} is dropped.` }
      }),
    )
}
