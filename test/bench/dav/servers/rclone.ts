import type { ServerUnderTest } from '../contract.ts'
import { findProgram, freePort, startChild, waitUntilAnswering } from '../processes.ts'

export const rclone: ServerUnderTest = {
  name: 'rclone',
  async start({ data }) {
    const program = findProgram('rclone')
    if (program === undefined) return undefined
    const port = await freePort()
    const where = ['--addr', `127.0.0.1:${port}`, '--config', '/dev/null', '--log-level', 'ERROR']
    const child = startChild(program, ['serve', 'webdav', data, ...where])
    const url = `http://127.0.0.1:${port}`
    await waitUntilAnswering(url)
    return { name: 'rclone', url, headers: {}, pid: child.pid ?? 0 }
  },
}
