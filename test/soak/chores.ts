import { setTimeout as sleep } from 'node:timers/promises'
import type { SoakStage } from './stage.ts'

type IsOver = () => boolean

async function rest(ms: number, isOver: IsOver): Promise<void> {
  const until = performance.now() + ms
  while (performance.now() < until && !isOver()) await sleep(100)
}

/** The peer is there for eight seconds and away for three. */
export async function flap({ peer }: SoakStage, isOver: IsOver): Promise<void> {
  while (!isOver()) {
    await rest(8000, isOver)
    await peer.goAway()
    await rest(3000, isOver)
    await peer.answerAgain()
  }
}

/** Gives the peer a share that is taken back when the next one is given, whether it is there or not. */
export async function shareAgain({ alices, peer }: SoakStage, isOver: IsOver): Promise<void> {
  const carol = `carol@${peer.host}`
  while (!isOver()) {
    await rest(10_000, isOver)
    // A command fails when the peer is away, and the share waits for it.
    await alices.cli('share', 'create', 'alice', '/Trip', carol).catch(() => undefined)
    const all = await alices.cli<{ id: string; recipient: string; state: string }[]>(
      'share',
      'list',
    )
    const given = all.filter((one) => one.recipient === carol && one.state !== 'revoked')
    for (const { id } of given.slice(1)) await alices.cli('share', 'revoke', id)
  }
}

/** What an operator does now and then. */
export function choresOf({ alices }: SoakStage) {
  const done = new Map<string, number>()

  async function command(name: string, ...args: readonly string[]): Promise<void> {
    await alices.cli(...args)
    done.set(name, (done.get(name) ?? 0) + 1)
  }

  return {
    get done(): string[] {
      return [...done].map(([name, count]) => `${name} ${count}`)
    },
    async run(isOver: IsOver): Promise<void> {
      while (!isOver()) {
        await rest(20_000, isOver)
        if (isOver()) return
        // Refused while the last rotation is under way.
        await command('key rotate', 'key', 'rotate').catch(() => undefined)
        const jobs = await alices.cli<{ name: string }[]>('jobs', 'list')
        for (const { name } of jobs) {
          // Refused while the server is at it.
          await command(`jobs run ${name}`, 'jobs', 'run', name).catch(() => undefined)
        }
      }
    },
  }
}
