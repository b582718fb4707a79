import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Fails when src/db/schema says something that no migration in drizzle/ does. */
const copy = mkdtempSync(join(tmpdir(), 'davmesh-drizzle-'))
try {
  cpSync('drizzle', copy, { recursive: true })
  const before = readdirSync(copy).length
  const schema = './src/db/schema/*.ts'
  const words = ['generate', '--dialect', 'sqlite', '--schema', schema, '--out', copy]
  execFileSync('node_modules/.bin/drizzle-kit', words, { stdio: 'pipe' })
  if (readdirSync(copy).length !== before) {
    process.stderr.write('The schema has changed: run "npm run db:generate -- --name <what>".\n')
    process.exitCode = 1
  }
} finally {
  rmSync(copy, { recursive: true })
}
