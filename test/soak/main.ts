/** `npm run soak [-- --minutes N --kills N]`: robustness R20, then R1 and R2 with many kills. */
import { parseArgs } from 'node:util'
import { run } from '../interop/support/tools.ts'
import { judge, tableOf } from './report.ts'
import { runSoak } from './run.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    kills: { type: 'string', default: '200' },
    seed: { type: 'string', default: String(Date.now() % 1e9) },
  },
})
const seed = Number(values.seed)
const tell = (line: string): void => console.log(line)

tell(`seed ${seed}`)
const result = await runSoak({ seconds: Number(values.minutes) * 60, perSecond: 50, seed, tell })
tell(tableOf(result))
const broken = judge(result)
if (values.kills !== '0') {
  const jest = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js']
  const which = ['--selectProjects', 'integration', '--testPathPatterns', 'crash/random-kills']
  const { code, out, err } = await run(process.execPath, [...jest, ...which], {
    env: { KILLS: values.kills },
  })
  tell(out + err)
  if (code !== 0) broken.push('R1, R2: see above')
}
for (const line of broken) tell(`BROKEN ${line}`)
process.exit(broken.length === 0 ? 0 : 1)
