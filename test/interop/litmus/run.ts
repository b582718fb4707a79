import { execFile } from 'node:child_process'
import Table from 'cli-table3'
import type { Target } from './server.ts'

/** What litmus said of one of its programs. */
export interface Verdict {
  readonly suite: string
  readonly run: number
  readonly passed: number
  readonly warnings: number
}

/** @throws Error naming the package when litmus is not installed. */
export function runLitmus(target: Target, cwd: string): Promise<string> {
  const { url, username, password } = target
  return new Promise((resolve, reject) => {
    execFile('litmus', ['-k', url, username, password], { cwd }, (error, output) => {
      if (error?.code === 'ENOENT') {
        reject(new Error('litmus is not installed: on Debian, apt-get install litmus'))
      } else {
        // Each program shows its progress by overwriting a line.
        resolve(output.replaceAll(/^.*\r/gm, ''))
      }
    })
  })
}

export const verdictsOf = (transcript: string): Verdict[] =>
  [...transcript.matchAll(/^<- summary for `(\w+)': of (\d+) tests run: (\d+) passed.*$/gm)].map(
    ([line, suite = '', run, passed]) => ({
      suite,
      run: Number(run),
      passed: Number(passed),
      warnings: Number(/^-> (\d+) warning/.exec(afterLine(transcript, line))?.[1] ?? 0),
    }),
  )

const afterLine = (text: string, line: string): string =>
  text.slice(text.indexOf(line) + line.length + 1)

const total = (verdicts: readonly Verdict[]): Verdict => {
  const sum = (key: 'run' | 'passed' | 'warnings') =>
    verdicts.reduce((before, verdict) => before + verdict[key], 0)
  return { suite: 'total', run: sum('run'), passed: sum('passed'), warnings: sum('warnings') }
}

/** Suites down, trees across; each cell says passed/run and, where there are any, warnings. */
export function tableOf(verdicts: Readonly<Record<string, readonly Verdict[]>>): string {
  const trees = Object.values(verdicts).map((suites) => [...suites, total(suites)])
  const table = new Table({
    head: ['litmus', ...Object.keys(verdicts)],
    style: { head: [], border: [] },
  })
  const cell = ({ passed, run, warnings }: Verdict): string =>
    `${passed}/${run}${warnings > 0 ? `, ${warnings} warnings` : ''}`
  for (const { suite } of trees[0] ?? []) {
    const row = trees.map((suites) => suites.find((one) => one.suite === suite))
    table.push([suite, ...row.map((verdict) => (verdict ? cell(verdict) : 'did not run'))])
  }
  return table.toString()
}
