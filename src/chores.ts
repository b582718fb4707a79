import type { Federation, Ground } from './federation.ts'
import { repairLocalTree, type LocalState } from './files/index.ts'
import type { Chore } from './jobs/index.ts'
import type { Resources } from './resources/index.ts'

export interface ChoreDeps
  extends
    Pick<Ground, 'clock' | 'keys' | 'users'>,
    Pick<Federation['rooms'], 'tokens' | 'invites' | 'peers'> {
  readonly resources: Pick<Resources, 'removeExpiredLocks'>
  /** Of the processes that serve the same files. */
  readonly turns: LocalState['turns']
  readonly live: LocalState['live']
}

const minute = 60
const hour = 60 * minute

/** So many rows in one transaction: others wait for less than a flush to disk. */
const batch = 200

/** Every peer's turn comes once a day, however many there are: this many an hour. */
const peersAtOnce = 50

/** A temporary without a change for so long is nobody's. */
const staleMs = 60 * 60_000

/** What has to be done again and again, so that nothing grows for ever and nothing is forgotten. */
export function createChores(deps: ChoreDeps): Chore[] {
  const { clock, keys, users, tokens, invites, peers, resources, turns, live } = deps

  async function sweepUploads(signal: AbortSignal): Promise<string | undefined> {
    const sum = { removed: 0, restored: 0 }
    for (const { home } of await users.listUsers()) {
      if (signal.aborted) break
      const options = { staleBefore: clock.now() - staleMs, isLive: live.has, turns, signal }
      const { removed, restored } = await repairLocalTree(home, options)
      sum.removed += removed
      sum.restored += restored
    }
    if (sum.removed === 0) return undefined
    return `${sum.removed} left by interrupted writes removed, ${sum.restored} of them put back`
  }

  return [
    {
      name: 'rotate-keys',
      everySeconds: minute,
      async run() {
        const steps = await keys.takeSteps()
        return steps === 0 ? undefined : `${steps} keys changed their state`
      },
    },
    removal('expire-locks', 10 * minute, 'locks', resources.removeExpiredLocks),
    removal('expire-tokens', hour, 'access tokens', tokens.removeExpired),
    removal('expire-invites', hour, 'invites', invites.removeOld),
    removal('forget-failures', hour, 'counts of failed logins', users.removeOldFailures),
    { name: 'sweep-uploads', everySeconds: hour, run: sweepUploads },
    {
      name: 'refresh-peers',
      everySeconds: hour,
      async run(signal) {
        const { renewed, failed } = await peers.refreshOld(peersAtOnce, signal)
        if (renewed + failed === 0) return undefined
        return `${renewed} servers asked again, ${failed} did not answer`
      },
    },
  ]
}

/** Removes what is over in small transactions, until nothing is left. */
const removal = (
  name: string,
  everySeconds: number,
  what: string,
  remove: (limit: number) => Promise<number>,
): Chore => ({
  name,
  everySeconds,
  async run(signal) {
    let sum = 0
    let removed = batch
    while (removed === batch && !signal.aborted) {
      removed = await remove(batch)
      sum += removed
    }
    return sum === 0 ? undefined : `${sum} ${what} removed`
  },
})
