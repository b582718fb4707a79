/** Two davmesh servers on this machine: a contact, a share, a reshare and their end. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDavmesh, type Answer, type Davmesh } from './davmesh.ts'

/** How long a message of one server may take to the other. */
const patienceMs = 10_000

const print = (line = ''): void => void process.stdout.write(`${line}\n`)

/** A step that did not work; its chapter ends. */
class StepError extends Error {}

/** Runs a command, shows it, and returns what it answered. */
async function step(server: Davmesh, ...args: readonly string[]): Promise<Record<string, unknown>> {
  print(`  ${server.name}$ davmesh ${args.join(' ')}`)
  const { code, json, error } = await server.run(...args)
  if (code !== 0) throw new StepError(error)
  return json as Record<string, unknown>
}

/** The first row of a listing that `wanted` likes, as soon as there is one. */
async function waitFor(
  server: Davmesh,
  args: readonly string[],
  wanted: (row: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  const until = performance.now() + patienceMs
  for (;;) {
    const { code, json, error }: Answer = await server.run(...args)
    if (code !== 0) throw new StepError(error)
    const row = (json as Record<string, unknown>[]).find(wanted)
    if (row !== undefined) return row
    if (performance.now() > until) {
      throw new StepError(`davmesh ${args.join(' ')} never showed what was expected`)
    }
    await new Promise((done) => setTimeout(done, 200))
  }
}

const arrived = (server: Davmesh, user: string, name: string, state: string) =>
  waitFor(
    server,
    ['received', 'list', '--user', user],
    (row) => row['name'] === name && row['state'] === state,
  )

const sent = (server: Davmesh, id: unknown, state: string) =>
  waitFor(server, ['share', 'list'], (row) => row['id'] === id && row['state'] === state)

/** alice and bob get to know each other. */
async function meet(alices: Davmesh, bobs: Davmesh): Promise<void> {
  print('alice invites bob; bob uses the invite; each is a contact of the other.')
  const { invite } = await step(alices, 'invite', 'create', 'alice')
  await step(bobs, 'invite', 'accept', 'bob', String(invite))
  for (const [server, user] of [
    [alices, 'alice'],
    [bobs, 'bob'],
  ] as const) {
    const contact = await waitFor(server, ['contact', 'list', user], () => true)
    print(`    ${user} knows ${String(contact['address'])}`)
  }
}

const share = (alices: Davmesh, bobs: Davmesh, path: string, may: string) =>
  step(
    alices,
    ...['share', 'create', 'alice', path, `bob@${bobs.authority}`],
    ...['--permissions', may],
  )

/** A share between strangers, from the offer to its end. */
async function shareAndUnshare(alices: Davmesh, bobs: Davmesh): Promise<void> {
  print('alice shares Recipes with bob, whom she does not know. He accepts.')
  const { id } = await share(alices, bobs, '/Recipes', 'read')
  const offer = await arrived(bobs, 'bob', 'Recipes', 'pending')
  await step(bobs, 'received', 'accept', String(offer['id']))
  await sent(alices, id, 'accepted')
  print("    alice's server knows that he accepted")
  print('alice stops sharing.')
  await step(alices, 'share', 'revoke', String(id))
  await arrived(bobs, 'bob', 'Recipes', 'removed')
  print('    bob has it no more')
}

/** The share that stays. */
async function shareWithContact(alices: Davmesh, bobs: Davmesh): Promise<void> {
  print('alice shares Holiday with bob. She is a contact of his: it is accepted by itself.')
  const { id } = await share(alices, bobs, '/Holiday', 'read,write')
  const { mountPath } = await arrived(bobs, 'bob', 'Holiday', 'accepted')
  await sent(alices, id, 'accepted')
  print(`    bob has it at ${String(mountPath)}; this one stays`)
}

async function populate(alices: Davmesh, bobs: Davmesh): Promise<void> {
  print('Two servers; alice lives on one, bob on the other.')
  await step(alices, 'user', 'add', 'alice')
  await step(bobs, 'user', 'add', 'bob')
  await alices.write('alice', 'Holiday/beach.txt', 'sun and sand\n')
  await alices.write('alice', 'Recipes/soup.txt', 'water and salt\n')
}

const chapters = [populate, shareAndUnshare, meet, shareWithContact]

/** Tells every chapter, whatever became of the one before; whether all went well. */
async function story(alices: Davmesh, bobs: Davmesh): Promise<boolean> {
  let well = true
  for (const chapter of chapters) {
    try {
      await chapter(alices, bobs)
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      well = false
      print(`    this did not work: ${error.message}`)
    }
    print()
  }
  return well
}

async function whatToTry(alices: Davmesh, bobs: Davmesh): Promise<void> {
  const access = await alices.run('user', 'app-password', 'alice', '--label', 'demo')
  const { password } = access.json as { password: string }
  const command = (server: Davmesh) => `node dist/main.js --config ${server.configFile}`
  print(`Both servers run until Ctrl-C: alice's at ${alices.url}, bob's at ${bobs.url}. Try:`)
  print()
  print(`  ${command(alices)} share list`)
  print(`  ${command(bobs)} received list`)
  print(`  ${command(bobs)} contact list bob`)
  print(`  curl -u alice:${password} ${alices.url}/dav/files/alice/Holiday/beach.txt`)
}

const once = process.argv.includes('--once')
const folder = await mkdtemp(join(tmpdir(), 'davmesh-demo-'))
const servers: Davmesh[] = []

async function end(code: number): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()))
  await rm(folder, { recursive: true, force: true })
  process.exit(code)
}
process.on('SIGINT', () => void end(0)).on('SIGTERM', () => void end(0))

try {
  const alices = await startDavmesh(folder, 'alice')
  servers.push(alices)
  const bobs = await startDavmesh(folder, 'bob')
  servers.push(bobs)
  const well = await story(alices, bobs)
  if (once) await end(well ? 0 : 1)
  await whatToTry(alices, bobs)
} catch (error) {
  process.stderr.write(`${String(error)}\n`)
  await end(1)
}
