import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome, RunningServer } from './contract.ts'

/** Asks so many times for a large file and reads no further than the kernel does by itself. */
export async function stallDownloads(
  server: RunningServer,
  path: string,
  count: number,
): Promise<Outcome> {
  const { hostname, port, pathname } = new URL(server.url + path)
  const fields = Object.entries(server.headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${fields.join('')}\r\n`
  const sockets: Socket[] = []
  let failures = 0
  for (let index = 0; index < count; index += 1) {
    const socket = connect(Number(port), hostname, () => socket.write(head))
    socket.pause()
    socket.on('error', () => (failures += 1))
    sockets.push(socket)
    if (index % 50 === 49) await sleep(20)
  }
  await sleep(4000)
  for (const socket of sockets) socket.destroy()
  return { requests: count, value: count - failures, failures }
}
