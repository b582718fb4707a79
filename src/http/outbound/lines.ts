import type { Socket } from 'node:net'
import { Client, Pool, type buildConnector, type Dispatcher } from 'undici'
import type { TransferOptions } from './transfer.ts'

/** Connections to one server, each of which tells its requests what they are on. */
export const createLines = (origin: string | URL, options: Pool.Options): Dispatcher =>
  new Pool(origin, { ...options, factory: createLine })

function createLine(origin: URL, options: object): Dispatcher {
  const { connect, ...others } = options as Pool.Options & { connect: buildConnector.connector }
  let current: Socket | undefined
  const client = new Client(origin, {
    ...others,
    connect(to: buildConnector.Options, callback: buildConnector.Callback) {
      connect(to, (...answer) => {
        current = answer[1] ?? undefined
        callback(...answer)
      })
    },
  })
  const dispatch = client.dispatch.bind(client)
  client.dispatch = (given: TransferOptions, handler) => {
    given.onLine?.(() => current)
    return dispatch(given, handler)
  }
  return client
}
