/** Three davmesh servers on this machine: a contact, a share that is opened, a reshare and their end. */
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

/** Who plays. */
interface Cast {
  readonly alices: Davmesh
  readonly bobs: Davmesh
  readonly carols: Davmesh
}

/** alice and bob get to know each other. */
async function meet({ alices, bobs }: Cast): Promise<void> {
  print('alice invites bob; bob uses the invite; each is a contact of the other.')
  const { invite } = await step(alices, 'invite', 'create', 'alice')
  await step(bobs, 'invite', 'accept', 'bob', String(invite))
  const known = await Promise.all([
    waitFor(alices, ['contact', 'list', 'alice'], () => true),
    waitFor(bobs, ['contact', 'list', 'bob'], () => true),
  ])
  print(`    alice knows ${String(known[0]['address'])}`)
  print(`    bob knows ${String(known[1]['address'])}`)
}

const share = (alices: Davmesh, bobs: Davmesh, path: string, may: string) =>
  step(
    alices,
    ...['share', 'create', 'alice', path, `bob@${bobs.authority}`],
    ...['--permissions', may],
  )

/** A share between strangers, from the offer to its end. */
async function shareAndUnshare({ alices, bobs }: Cast): Promise<void> {
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
async function shareWithContact({ alices, bobs }: Cast): Promise<void> {
  print('alice shares Holiday with bob. She is a contact of his: it is accepted by itself.')
  const { id } = await share(alices, bobs, '/Holiday', 'read,write,share')
  const [{ mountPath }] = await Promise.all([
    arrived(bobs, 'bob', 'Holiday', 'accepted'),
    sent(alices, id, 'accepted'),
  ])
  print(`    bob has it at ${String(mountPath)}; this one stays`)
}

/** bob reads and writes what alice gave him, at his own server. */
async function openMount({ alices, bobs }: Cast): Promise<void> {
  print("bob opens Holiday among his own files; his server asks alice's for an access token.")
  const { password } = await step(bobs, 'user', 'app-password', 'bob', '--label', 'demo')
  const bob = { authorization: `Basic ${btoa(`bob:${String(password)}`)}` }
  const folder = `${bobs.url}/dav/files/bob/Shared/Holiday`
  const read = await fetch(`${folder}/beach.txt`, { headers: bob })
  if (!read.ok) throw new StepError(`GET beach.txt was answered with ${read.status}`)
  print(`    he reads beach.txt: ${(await read.text()).trim()}`)
  const put = { method: 'PUT', headers: bob, body: 'wish you were here\n' }
  const written = await fetch(`${folder}/card.txt`, put)
  if (!written.ok) throw new StepError(`PUT card.txt was answered with ${written.status}`)
  print(
    `    he writes card.txt, and alice has it: ${await alices.read('alice', 'Holiday/card.txt')}`,
  )
}

/** bob passes on what alice gave him, and takes that back. */
async function reshare({ alices, bobs, carols }: Cast): Promise<void> {
  print('bob passes Holiday on to carol. His server asks that of alice, which gives it to her.')
  const carol = `carol@${carols.authority}`
  const { id } = await step(bobs, 'share', 'create', 'bob', '/Shared/Holiday', carol)
  const offer = await arrived(carols, 'carol', 'Holiday', 'pending')
  await step(carols, 'received', 'accept', String(offer['id']))
  const passedOn = await waitFor(
    alices,
    ['share', 'list'],
    (row) => row['recipient'] === carol && row['state'] === 'accepted',
  )
  print(`    carol has it from ${String(offer['owner'])}, by ${String(passedOn['resharedBy'])}`)
  print('bob takes it back.')
  await step(bobs, 'share', 'revoke', String(id))
  await arrived(carols, 'carol', 'Holiday', 'removed')
  print('    carol has it no more; bob still has')
}

async function populate({ alices, bobs, carols }: Cast): Promise<void> {
  print('Three servers: one of alice, one of bob, one of carol.')
  await Promise.all([
    step(alices, 'user', 'add', 'alice'),
    step(bobs, 'user', 'add', 'bob'),
    step(carols, 'user', 'add', 'carol'),
  ])
  await alices.write('alice', 'Holiday/beach.txt', 'sun and sand\n')
  await alices.write('alice', 'Recipes/soup.txt', 'water and salt\n')
}

const chapters = [populate, shareAndUnshare, meet, shareWithContact, openMount, reshare]

/** Tells every chapter, whatever became of the one before; whether all went well. */
async function story(cast: Cast): Promise<boolean> {
  let well = true
  for (const chapter of chapters) {
    try {
      await chapter(cast)
    } catch (error) {
      if (!(error instanceof StepError)) throw error
      well = false
      print(`    this did not work: ${error.message}`)
    }
    print()
  }
  return well
}

async function whatToTry({ alices, bobs, carols }: Cast): Promise<void> {
  const passwordOf = async (server: Davmesh, user: string): Promise<string> => {
    const { json } = await server.run('user', 'app-password', user, '--label', 'to try')
    return (json as { password: string }).password
  }
  const [alice, bob] = await Promise.all([passwordOf(alices, 'alice'), passwordOf(bobs, 'bob')])
  const command = (server: Davmesh) => `node dist/main.js --config ${server.configFile}`
  const places = `alice's at ${alices.url}, bob's at ${bobs.url}, carol's at ${carols.url}`
  print(`The servers run until Ctrl-C: ${places}. Try:`)
  print()
  print(`  ${command(alices)} share list`)
  print(`  ${command(bobs)} received list`)
  print(`  ${command(bobs)} share create bob /Shared/Holiday carol@${carols.authority}`)
  print(`  curl -u alice:${alice} ${alices.url}/dav/files/alice/Holiday/beach.txt`)
  print(`  curl -u bob:${bob} ${bobs.url}/dav/files/bob/Shared/Holiday/beach.txt`)
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
  const start = async (name: string): Promise<Davmesh> => {
    const server = await startDavmesh(folder, name)
    servers.push(server)
    return server
  }
  const [alices, bobs, carols] = await Promise.all([start('alice'), start('bob'), start('carol')])
  const cast = { alices, bobs, carols }
  const well = await story(cast)
  if (once) await end(well ? 0 : 1)
  await whatToTry(cast)
} catch (error) {
  process.stderr.write(`${String(error)}\n`)
  await end(1)
}
