import { expect, it, jest } from '@jest/globals'
import { inTransaction, resealAll, sealedValues } from '../../../src/db/index.ts'
import { sealedColumns } from '../../../src/db/sealed.ts'
import { runCliHere } from '../../support/cli-in-process.ts'
import { reshareStage, type ReshareStage } from '../../support/reshare-stage.ts'

/** Three servers each, on a machine that may be busy. */
jest.setTimeout(30_000)

/** Three servers with something in every sealed column of one or another. */
async function withEverythingSealed(): Promise<ReshareStage> {
  const stage = await reshareStage()
  const { alices, bobs, carols } = stage
  const { incoming } = await stage.give()
  await bobs.services().reshares.request('bob', incoming.id, stage.carol)
  await stage.settle()
  for (const { services } of [alices, bobs, carols]) await services().keys.legacySigner()
  await bobs.services().access.retry(incoming.id)
  await carols.close()
  const { db, outbox } = alices.services()
  const message = { kind: 'notification', type: 'SHARE_UNSHARED', providerId: 'p' } as const
  const owe = outbox.prepare({
    peer: carols.authority,
    subject: 's',
    message: { ...message, resourceType: 'folder' },
  })
  await inTransaction(db, owe)
  return stage
}

it('every sealed column is listed, and sealed for what the list says', async () => {
  const stage = await withEverythingSealed()
  try {
    const seen = new Set<string>()
    for (const server of [stage.alices, stage.bobs]) {
      const { db } = server.services()
      const all = [...sealedValues(db)].map(({ context }) => context.slice(0, context.indexOf(':')))
      for (const context of all) seen.add(context)
      const args = ['--config', server.configFile, 'secret', 'rotate', '--json']
      const { code, out, err } = await runCliHere(args, server.dir)
      expect([code, err]).toEqual([0, ''])
      expect(JSON.parse(out)).toMatchObject({ resealed: all.length })
    }
    expect([...seen].sort()).toEqual(sealedColumns.map(({ context }) => context).sort())
    const { reader } = stage.alices.services().db.raw
    const inSchema = reader
      .prepare(
        `SELECT m.name || '.' || c.name FROM sqlite_master m, pragma_table_info(m.name) c
         WHERE m.type = 'table' AND lower(c.type) = 'blob'`,
      )
      .pluck()
      .all() as string[]
    const listed = sealedColumns.map(({ table, column }) => `${table}.${column}`)
    expect(inSchema.sort()).toEqual(listed.sort())
  } finally {
    await Promise.all([stage.alices.close(), stage.bobs.close()])
  }
})

it('when one value cannot be sealed anew, all stay as they are', async () => {
  const stage = await reshareStage()
  try {
    await stage.give()
    const { db } = stage.bobs.services()
    const before = [...sealedValues(db)]
    const failing = resealAll(db, ({ sealed, context }) => {
      if (context.startsWith('incoming')) throw new Error('no')
      return Buffer.concat([sealed, sealed])
    })
    await expect(failing).rejects.toThrow('no')
    expect([...sealedValues(db)]).toEqual(before)
  } finally {
    await Promise.all([stage.alices, stage.bobs, stage.carols].map((one) => one.close()))
  }
})
