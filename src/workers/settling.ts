import { tellMember, type Member } from './member.ts'
import type { Place } from './messages.ts'

/** Asks all others to wait for what they are at, for whoever has just locked something. */
export interface Settling {
  ask(asker: Member, id: number, place: Place, others: readonly Member[]): void
  answered(by: Member, id: number): void
  /** What a dead worker was at is over. */
  left(member: Member): void
}

export function createSettling(): Settling {
  const open = new Map<number, { missing: Set<Member>; done: () => void }>()
  let lastId = 0

  function answered(by: Member, id: number): void {
    const one = open.get(id)
    if (!one?.missing.delete(by) || one.missing.size > 0) return
    open.delete(id)
    one.done()
  }

  return {
    ask(asker, id, place, others) {
      const done = (): void => tellMember(asker, { davmesh: 'settled', id })
      if (others.length === 0) {
        done()
        return
      }
      lastId += 1
      open.set(lastId, { missing: new Set(others), done })
      for (const other of others) tellMember(other, { davmesh: 'settle', id: lastId, place })
    },
    answered,
    left(member) {
      for (const id of [...open.keys()]) answered(member, id)
    },
  }
}
