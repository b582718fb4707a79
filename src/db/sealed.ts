import { inTransaction } from './transaction.ts'
import type { Database } from './open.ts'

/** A column that holds what `secret.key` seals. */
interface SealedColumn {
  readonly table: string
  readonly column: string
  /** What a value is sealed for is `<context>:<value of this column>`. */
  readonly of: string
  readonly context: string
}

/** Every one there is; the rooms seal and open with the same contexts. */
export const sealedColumns: readonly SealedColumn[] = [
  {
    table: 'signing_keys',
    column: 'sealed_private_jwk',
    of: 'kid',
    context: 'signing_keys.private_jwk',
  },
  {
    table: 'legacy_keys',
    column: 'sealed_private_pem',
    of: 'kid',
    context: 'legacy_keys.private_pem',
  },
  {
    table: 'refresh_tokens',
    column: 'sealed_secret',
    of: 'share_id',
    context: 'refresh_tokens.secret',
  },
  {
    table: 'outgoing_shares',
    column: 'sealed_undo_token',
    of: 'id',
    context: 'outgoing_shares.undo',
  },
  {
    table: 'incoming_shares',
    column: 'sealed_secret',
    of: 'id',
    context: 'incoming_shares.secret',
  },
  {
    table: 'incoming_shares',
    column: 'sealed_access_token',
    of: 'id',
    context: 'incoming_shares.access_token',
  },
  { table: 'reshares', column: 'sealed_token', of: 'id', context: 'reshares.token' },
  { table: 'outbox', column: 'sealed_payload', of: 'id', context: 'outbox.payload' },
]

/** A value as it lies in the database. */
export interface SealedValue {
  readonly sealed: Buffer
  readonly context: string
}

interface Row {
  readonly rowid: number
  readonly of: string
  readonly sealed: Buffer
}

const selectSql = ({ table, column, of }: SealedColumn): string =>
  `SELECT rowid, "${of}" AS "of", "${column}" AS sealed FROM "${table}" WHERE "${column}" IS NOT NULL`

/** Every sealed value, one after the other. */
export function* sealedValues(db: Database): Generator<SealedValue> {
  for (const column of sealedColumns) {
    const rows = db.raw.reader.prepare<[], Row>(selectSql(column)).iterate()
    for (const { of, sealed } of rows) yield { sealed, context: `${column.context}:${of}` }
  }
}

/**
 * Puts another value in place of every sealed one, in one transaction, and leaves nothing of the
 * former ones in the file.
 *
 * @param reseal throws when it cannot: then nothing has changed.
 * @returns how many values there were.
 */
export async function resealAll(
  db: Database,
  reseal: (value: SealedValue) => Buffer,
): Promise<number> {
  const { writer } = db.raw
  // SQLite then overwrites what it frees.
  writer.pragma('secure_delete = ON')
  try {
    return await inTransaction(db, async () => {
      let count = 0
      for (const column of sealedColumns) {
        const update = writer.prepare(
          `UPDATE "${column.table}" SET "${column.column}" = ? WHERE rowid = ?`,
        )
        for (const { rowid, of, sealed } of writer.prepare<[], Row>(selectSql(column)).all()) {
          update.run(reseal({ sealed, context: `${column.context}:${of}` }), rowid)
          count += 1
        }
      }
      return Promise.resolve(count)
    })
  } finally {
    writer.pragma('secure_delete = OFF')
    writer.pragma('wal_checkpoint(TRUNCATE)')
  }
}
