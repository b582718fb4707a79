import type { Command } from 'commander'
import { parseHost } from '../../peers/index.ts'
import type { Actions } from '../context.ts'
import { facts, instant, table, type Answer } from '../output.ts'
import type { CliServices } from '../context.ts'

async function showPeer({ peers }: CliServices, host: string): Promise<Answer> {
  const { discovery, jwks, trust, breaker, ...peer } = await peers.show(host)
  const keys = keysOf(jwks)
  const json = {
    host: peer.host,
    trust,
    discovery,
    profile: peer.profile,
    keys,
    breaker: breaker && { ...breaker, until: instant(breaker.until) },
    lastOkAt: instant(peer.lastOkAt),
    lastError: peer.lastError,
  }
  const document = (discovery ?? {}) as Record<string, unknown>
  const member = (name: string): string => JSON.stringify(document[name] ?? null)
  return {
    json,
    text: facts([
      ['host', peer.host],
      ['trust', trust],
      ['discovered', instant(peer.discoveredAt)],
      ['at', peer.discoveryUrl],
      ['provider', member('provider')],
      ['apiVersion', member('apiVersion')],
      ['endPoint', member('endPoint')],
      ['tokenEndPoint', member('tokenEndPoint')],
      ['capabilities', member('capabilities')],
      ['criteria', member('criteria')],
      ['keys', keys.map(({ kid, alg }) => `${kid} (${alg})`).join(', ') || null],
      ['last ok', instant(peer.lastOkAt)],
      ['last error', peer.lastError],
    ]),
  }
}

function keysOf(jwks: unknown): { kid: string; alg: string }[] {
  const keys = (jwks as { keys?: unknown } | null)?.keys
  if (!Array.isArray(keys)) return []
  return keys.map((key: { kid?: unknown; alg?: unknown }) => ({
    kid: String(key.kid),
    alg: String(key.alg),
  }))
}

export function addPeerCommands(program: Command, { run }: Actions): void {
  const peer = program.command('peer').description('other servers')

  peer
    .command('list')
    .description('show the servers that are remembered')
    .action((_options: unknown, command: Command) =>
      run(command, async ({ peers }) => {
        const all = await peers.list()
        const json = all.map(({ host, trust, lastOkAt, lastError }) => ({
          host,
          trust,
          lastOkAt: instant(lastOkAt),
          lastError,
        }))
        const rows = json.map((one) => [one.host, one.trust, one.lastOkAt, one.lastError])
        return {
          json,
          text: table(['host', 'trust', 'last ok', 'last error'], rows, 'No peer is known.'),
        }
      }),
    )

  peer
    .command('discover <host>')
    .description('ask a server what it is and remember it')
    .action((host: string, _options: unknown, command: Command) =>
      run(command, async (services) => {
        await services.peers.discover(parseHost(host))
        await services.peers.refreshKeys(parseHost(host))
        return showPeer(services, host)
      }),
    )

  peer
    .command('show <host>')
    .description('show what is remembered of a server')
    .action((host: string, _options: unknown, command: Command) =>
      run(command, (services) => showPeer(services, host)),
    )

  const marks = [
    ['allow', 'allowed', 'the server is a peer, beside federation.allow'],
    ['deny', 'denied', 'the server is shut out from its next request on, beside federation.deny'],
  ] as const
  for (const [verb, mark, description] of marks) {
    peer
      .command(`${verb} <host>`)
      .description(description)
      .action((host: string, _options: unknown, command: Command) =>
        run(command, async (services) => {
          await services.peers.setTrust(parseHost(host), mark)
          return showPeer(services, host)
        }),
      )
  }

  peer
    .command('forget <host>')
    .description('forget what is remembered of a server, allow and deny too')
    .action((host: string, _options: unknown, command: Command) =>
      run(command, async ({ peers }) => {
        const name = parseHost(host)
        await peers.forget(name)
        return { json: { host: name }, text: `Nothing is remembered of ${name} any more.` }
      }),
    )
}
