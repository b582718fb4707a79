import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** Somebody with a shell: changes files in a process of its own, and waits until `stat` shows it. */
export interface Meddler extends AsyncDisposable {
  /** Runs a script with everything of `node:fs` and `d(name)`, a path in its folder. */
  does(script: string): Promise<void>
}

const loop = `
  const fs = require('node:fs')
  const d = (name) => require('node:path').join(process.argv[1], name)
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    new Function('d', ...Object.keys(fs), JSON.parse(line))(d, ...Object.values(fs))
    console.log('done')
  })
`

export function startMeddler(folder: string): Meddler {
  const child = spawn(process.execPath, ['-e', loop, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close').then(() => {
    throw new Error('the meddler ended')
  })
  ended.catch(() => undefined)
  const lines = createInterface({ input: child.stdout })
  return {
    async does(script) {
      const done = once(lines, 'line')
      child.stdin.write(`${JSON.stringify(script)}\n`)
      await Promise.race([done, ended])
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await ended.catch(() => undefined)
    },
  }
}
