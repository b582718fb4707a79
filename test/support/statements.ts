import type { Database } from '../../src/db/index.ts'

/** Every statement that `work` makes SQLite prepare, in order. */
export async function statementsOf(db: Database, work: () => unknown): Promise<string[]> {
  const seen: string[] = []
  const spied = [db.raw.reader, db.raw.writer].map((connection) => {
    const original = connection.prepare.bind(connection)
    connection.prepare = (sql: string) => {
      seen.push(sql)
      return original(sql)
    }
    return () => Reflect.deleteProperty(connection, 'prepare')
  })
  try {
    await work()
  } finally {
    for (const restore of spied) restore()
  }
  return seen
}
