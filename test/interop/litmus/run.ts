import { execFile } from 'node:child_process'
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
