import type { Config } from './config/index.ts'
import type { Clock, Sealer } from './core/index.ts'
import {
  checkDatabase,
  checkRows,
  isServed,
  sealedValues,
  type Database,
  type DatabaseProblem,
} from './db/index.ts'
import { findTemporaries, lookIn, type FileTree, type TreePath } from './files/index.ts'
import type { Resources } from './resources/index.ts'
import type { Shares } from './shares/index.ts'
import type { User, Users } from './users/index.ts'

export interface CheckDeps {
  readonly config: Config
  readonly clock: Clock
  readonly db: Database
  readonly sealer: Sealer
  readonly users: Pick<Users, 'listUsers'>
  readonly shares: Pick<Shares, 'openPaths'>
  readonly resources: Pick<Resources, 'knownPaths'>
  userTreeOf(user: User): FileTree
}

/** One thing wrong with the database, or between it and the files. */
export interface DataProblem {
  readonly kind:
    | DatabaseProblem['kind']
    | 'orphan_home'
    | 'orphan_lock'
    | 'orphan_property'
    | 'temporary'
    | 'set_aside'
    | 'unsealable'
  readonly detail: string
}

/** Beside a running server, a temporary without a change for less than this is its business. */
const temporaryMs = 60 * 60_000

/** As is a change that began less than this ago: the copy of a large tree takes its time. */
const changeMs = 24 * 60 * 60_000

/**
 * Compares all that one part of the data says of another. It changes nothing, and is right beside a
 * running server too.
 */
export async function checkData(deps: CheckDeps): Promise<DataProblem[]> {
  const { db, clock, config, users } = deps
  const damage = checkDatabase(db)
  // Nothing that is read from a damaged or older database would mean anything.
  if (damage.length > 0) return damage
  const now = clock.now()
  const running = isServed(config.dataDir)
  const problems: DataProblem[] = checkRows(db, now, running ? now - changeMs : Infinity)
  for (const user of await users.listUsers()) {
    problems.push(...(await checkPaths(deps, user)))
    const options = running ? { staleBefore: now - temporaryMs } : {}
    for await (const { path, purpose } of findTemporaries(user.home, options)) {
      problems.push({ kind: purpose === 'swap' ? 'set_aside' : 'temporary', detail: path })
    }
  }
  return [...problems, ...checkSealed(deps)]
}

/** What the database says of files that are not there. */
async function checkPaths(deps: CheckDeps, user: User): Promise<DataProblem[]> {
  const { resources, shares, userTreeOf } = deps
  const { id, username, home } = user
  const look = lookIn(userTreeOf(user))
  if (!(await look([]).catch(() => undefined))) {
    return [{ kind: 'orphan_home', detail: `${home} of ${username} is not there` }]
  }
  const { locked, described } = await resources.knownPaths(id)
  const shared = await shares.openPaths(id)
  const noted: [DataProblem['kind'], readonly TreePath[]][] = [
    ['orphan_lock', locked],
    ['orphan_property', described],
    ['orphan_share', shared.map(({ path }) => path)],
  ]
  const problems: DataProblem[] = []
  for (const [kind, paths] of noted) {
    for (const path of paths) {
      const detail = `/${path.join('/')} of ${username} is not there`
      if (!(await look(path))) problems.push({ kind, detail })
    }
  }
  return problems
}

function checkSealed({ db, sealer }: CheckDeps): DataProblem[] {
  const problems: DataProblem[] = []
  for (const { sealed, context } of sealedValues(db)) {
    try {
      sealer.open(sealed, context)
    } catch {
      problems.push({ kind: 'unsealable', detail: context })
    }
  }
  return problems
}
