import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** An OCM server that accepts one share and trades its secret for an access token. */
export interface StubPeer {
  readonly host: string
  exchange(origin: string): Promise<{ shareId: string; accessToken: string }>
  close(): void
}

interface Notice {
  readonly providerId: string
  readonly protocol: Record<string, { readonly sharedSecret?: string } | undefined>
}

export async function startStubPeer(): Promise<StubPeer> {
  let notice: Notice | undefined
  async function answer(req: IncomingMessage): Promise<unknown> {
    if (req.method === 'POST') {
      notice = JSON.parse(await text(req)) as Notice
      return {}
    }
    return discovery(`http://${host}`)
  }
  const server = createServer((req, res) => {
    void answer(req).then((body) => {
      res.writeHead(req.method === 'POST' ? 201 : 200, { 'Content-Type': 'application/json' })
      res.end(JSON.stringify(body))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    async exchange(origin) {
      const code = notice?.protocol['webdav']?.sharedSecret ?? ''
      const response = await fetch(`${origin}/ocm/token`, {
        method: 'POST',
        body: new URLSearchParams({ grant_type: 'authorization_code', client_id: host, code }),
      })
      const { access_token: accessToken } = (await response.json()) as { access_token?: string }
      if (accessToken === undefined) throw new Error(`no token: ${response.status}`)
      return { shareId: notice?.providerId ?? '', accessToken }
    },
    close: () => server.close(),
  }
}

const discovery = (origin: string) => ({
  enabled: true,
  apiVersion: '1.2.0',
  endPoint: `${origin}/ocm`,
  provider: 'bench',
  capabilities: ['exchange-token'],
  tokenEndPoint: `${origin}/ocm/token`,
  resourceTypes: [
    { name: 'folder', shareTypes: ['user'], protocols: { webdav: '/dav/' } },
    { name: 'file', shareTypes: ['user'], protocols: { webdav: '/dav/' } },
  ],
})
