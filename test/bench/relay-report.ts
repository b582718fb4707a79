import { printTable } from './dav/report.ts'
import type { RelayReport } from './relay.ts'

/** The report for people. */
export function writeRelay({ works, grownMib, grownLimitMib, expired }: RelayReport): string {
  const judged = (met: boolean) => (met ? 'met' : 'MISSED')
  const { requests, failures, exchanges } = expired
  return [
    'A share of another server in the tree of a user, beside the same at its sender; medians.',
    printTable(works, 'mount'),
    `Memory of the relay in a transfer of 1 GiB: at most ${grownMib.toFixed(0)} MiB more, under ${grownLimitMib} ${judged(grownMib < grownLimitMib)}.`,
    `${requests} requests at once on an expired access token: ${exchanges} exchange(s), ${failures} failed, one and none ${judged(exchanges === 1 && failures === 0)}.`,
  ].join('\n')
}
