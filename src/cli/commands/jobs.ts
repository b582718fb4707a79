import type { Command } from 'commander'
import type { Job } from '../../jobs/index.ts'
import type { Actions } from '../context.ts'
import { instant, table } from '../output.ts'

const jobJson = (job: Job) => ({
  name: job.name,
  everySeconds: job.everySeconds,
  state: job.state,
  nextRunAt: instant(job.nextRunAt),
  lastStartedAt: instant(job.lastStartedAt),
  lastEndedAt: instant(job.lastEndedAt),
  lastOutcome: job.lastOutcome,
  lastError: job.lastError,
})

export function addJobsCommands(program: Command, { run }: Actions): void {
  const jobs = program.command('jobs').description('what the server does again and again')

  jobs
    .command('list')
    .description('show all chores and how they went')
    .action((_options: unknown, command: Command) =>
      run(command, async (services) => {
        const all = await services.jobs.list()
        const rows = all.map((job) => [
          job.name,
          job.everySeconds,
          job.state,
          instant(job.nextRunAt),
          instant(job.lastEndedAt),
          job.lastError === null ? job.lastOutcome : `failed: ${job.lastError}`,
        ])
        const head = ['name', 'every s', 'state', 'next', 'last', 'outcome']
        return { json: all.map(jobJson), text: table(head, rows, 'There are no chores.') }
      }),
    )

  jobs
    .command('run <name>')
    .description('do one now')
    .action((name: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        const { text, error } = await services.jobs.run(name)
        const job = (await services.jobs.list()).find((one) => one.name === name)
        const json = job === undefined ? null : jobJson(job)
        if (error !== null) return { json, text: `${name} failed: ${error}`, exitCode: 1 }
        return { json, text: text ?? 'There was nothing to do.' }
      }),
    )
}
