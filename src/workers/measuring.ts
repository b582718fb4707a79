import { tellMember, type Member } from './member.ts'

/** Who takes longer is counted as it was the last time. */
const patienceMs = 2000

/** Asks workers for what they have counted. */
export interface Measuring {
  /** Settles when all have answered or ended, or after two seconds: `metrics` of each is its last. */
  ask(members: readonly Member[]): Promise<void>
  answered(by: Member, id: number, metrics: unknown): void
  /** Nobody waits for a dead one. */
  left(member: Member): void
}

export function createMeasuring(waitMs = patienceMs): Measuring {
  const open = new Map<number, { missing: Set<Member>; done: () => void }>()
  let lastId = 0

  function heard(by: Member, id: number): void {
    const one = open.get(id)
    if (one?.missing.delete(by) === true && one.missing.size === 0) one.done()
  }

  return {
    ask(members) {
      const asked = members.filter(
        ({ state, isLeaving }) => !isLeaving && (state === 'ready' || state === 'stopping'),
      )
      if (asked.length === 0) return Promise.resolve()
      lastId += 1
      const id = lastId
      return new Promise((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          open.delete(id)
          resolve()
        }
        const timer = setTimeout(done, waitMs)
        open.set(id, { missing: new Set(asked), done })
        for (const member of asked) tellMember(member, { davmesh: 'measure', id })
      })
    },
    answered(by, id, metrics) {
      // A late answer is still the newest, unless it has said its last.
      if (metrics !== undefined && !by.isLeaving) by.metrics = metrics
      heard(by, id)
    },
    left(member) {
      for (const id of [...open.keys()]) heard(member, id)
    },
  }
}
