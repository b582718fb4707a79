import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { hrefsOf } from '../../support/dav-client.ts'
import { mountStage, type MountStage } from '../../support/mount-stage.ts'

let stage: MountStage

beforeAll(async () => (stage = await mountStage()))
afterAll(() => stage.close())

it('a share that ended while somebody renames it does not come back', async () => {
  const { id } = await stage.mount()
  const { incoming } = stage.server.services()
  const { userId } = await incoming.get(id)
  const [mount] = await incoming.listMounts(userId)
  await incoming.remove(id)
  await expect(incoming.renameMount(mount as NonNullable<typeof mount>, 'X')).rejects.toMatchObject(
    { code: 'received_not_found' },
  )
  expect((await incoming.get(id)).mountName).toBeNull()
  expect(hrefsOf(await stage.files.propfind('', '1'))).not.toContain('/dav/files/bob/Shared/')
})
