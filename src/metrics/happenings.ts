import { Counter, type Registry } from 'prom-client'
import { eventNames, type EventHub, type Events } from '../core/index.ts'
import { createReasons } from './reasons.ts'

type Increments = {
  readonly [Name in keyof Events]?: (fact: Events[Name]) => void
}

/** Counts what the rooms report. */
export function countHappenings(registry: Registry, events: EventHub): void {
  const registers = [registry]
  const happened = new Counter({
    name: 'davmesh_events_total',
    help: 'Events, as listed in docs/operations.md',
    labelNames: ['event'],
    registers,
  })
  // Rates need the zero before the first one.
  for (const event of eventNames) happened.inc({ event }, 0)

  const byOutcome = (name: string, help: string, good: string) => {
    const reasonOf = createReasons()
    const counter = new Counter({ name, help, labelNames: ['outcome', 'reason'], registers })
    counter.inc({ outcome: good, reason: '' }, 0)
    return {
      good: () => counter.inc({ outcome: good, reason: '' }),
      refused: ({ reason }: { reason: string }) =>
        counter.inc({ outcome: 'refused', reason: reasonOf(reason) }),
    }
  }
  const exchanges = byOutcome(
    'davmesh_token_exchanges_total',
    'Requests at our token endpoint: issued or refused',
    'issued',
  )
  const refreshes = byOutcome(
    'davmesh_token_refreshes_total',
    'Access tokens we asked others for: exchanged, or the share cannot be opened',
    'exchanged',
  )
  const verifications = byOutcome(
    'davmesh_signature_verifications_total',
    'Signatures of messages from peers: verified or refused',
    'verified',
  )
  const credentials = new Counter({
    name: 'davmesh_credentials_refused_total',
    help: 'Credentials that opened nothing, by the plugin that refused them',
    labelNames: ['plugin', 'reason'],
    registers,
  })
  const credentialReason = createReasons()
  const pluginOf = createReasons()
  const outbox = new Counter({
    name: 'davmesh_outbox_attempts_total',
    help: 'Attempts to deliver what we owe peers',
    labelNames: ['kind', 'outcome'],
    registers,
  })
  const delivery = (outcome: string) => (fact: { kind: string }) =>
    outbox.inc({ kind: fact.kind, outcome })

  const increments: Increments = {
    'token.issued': exchanges.good,
    'token.refused': exchanges.refused,
    'access.exchanged': refreshes.good,
    'access.refused': refreshes.refused,
    'signature.verified': verifications.good,
    'signature.refused': verifications.refused,
    'credential.refused': ({ plugin, reason }) =>
      credentials.inc({ plugin: pluginOf(plugin), reason: credentialReason(reason) }),
    'outbox.delivered': delivery('delivered'),
    'outbox.delayed': delivery('delayed'),
    'outbox.refused': delivery('refused'),
  }
  events.onAny((event, fact) => {
    happened.inc({ event })
    const increment = increments[event] as ((fact: unknown) => void) | undefined
    increment?.(fact)
  })
}
