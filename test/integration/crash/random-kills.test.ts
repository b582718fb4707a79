import { expect, it, jest } from '@jest/globals'
import { chanceOf } from '../../support/chance.ts'
import { killAtRandom } from './random-kills.ts'

/** How many kills `npm run soak` wants; otherwise as many as fit into some seconds. */
const { KILLS: wanted } = process.env

jest.setTimeout(wanted === undefined ? 60_000 : 30 * 60_000)

it('R1, R2: killed at random under load, what was acknowledged is there, the rest is whole', async () => {
  const seed = Date.now()
  const report = await killAtRandom({
    chance: chanceOf(seed),
    kills: Number(wanted ?? 20),
    withinMs: wanted === undefined ? 12_000 : Infinity,
  })
  console.info(`R1, R2: seed ${seed}: ${JSON.stringify(report)}`)
  expect(report.kills).toBeGreaterThan(0)
  expect(report.acknowledged).toBeGreaterThan(0)
})
