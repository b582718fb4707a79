import { isServing, tellMember, type Member } from './member.ts'
import type { ToPrimary } from './messages.ts'
import { createMeasuring } from './measuring.ts'
import { createServedTurns } from './served-turns.ts'
import { createSettling } from './settling.ts'

/** Where workers ask for what they have to agree about. */
export interface Desk {
  hear(member: Member, message: ToPrimary): void
  /** Whose turn a dead worker had; nobody else gets these before `free`. */
  heldBy(member: Member): string[]
  free(member: Member): void
  /** Asks all that serve for what they have counted; see `Measuring`. */
  measure(): Promise<void>
}

export function createDesk(members: ReadonlySet<Member>): Desk {
  const turns = createServedTurns()
  const settling = createSettling()
  const measuring = createMeasuring()
  return {
    hear(member, message) {
      const { id: owner } = member.worker
      switch (message.davmesh) {
        case 'take': {
          const { id, keys } = message
          turns.take(owner, id, keys, () => tellMember(member, { davmesh: 'taken', id }))
          break
        }
        case 'give':
          turns.give(owner, message.id)
          break
        case 'settle': {
          const others = [...members].filter((one) => one !== member && isServing(one))
          settling.ask(member, message.id, message.place, others)
          break
        }
        case 'settled':
          settling.answered(member, message.id)
          break
        case 'measured':
          measuring.answered(member, message.id, message.metrics)
          break
        case 'leaving':
          member.metrics = message.metrics
          member.isLeaving = true
          measuring.left(member)
          break
        case 'joined':
          member.runId = message.runId
          break
        case 'ready':
          member.address = message.address
          member.readyAt = performance.now()
          break
        case 'failed':
          member.problem = message.message
          break
      }
    },
    heldBy(member) {
      // Nobody waits for what it was at.
      settling.left(member)
      measuring.left(member)
      return turns.heldBy(member.worker.id)
    },
    measure: () => measuring.ask([...members]),
    free: (member) => turns.free(member.worker.id),
  }
}
