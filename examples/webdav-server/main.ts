/** A stock webdav-server v2 that opens for any access token a davmesh server has issued. */
import { v2 as webdav } from 'webdav-server'
import {
  createAuthChain,
  jwksAccessToken,
  webdavServerAuthentication,
  type PrincipalUser,
} from 'davmesh'

const [issuer, port = '1900'] = process.argv.slice(2)
if (issuer === undefined) throw new Error('usage: main.ts ISSUER_URL [PORT]')

const chain = createAuthChain([jwksAccessToken({ issuer })])

const options = Object.assign(new webdav.WebDAVServerOptions(), {
  hostname: '127.0.0.1',
  port: Number(port),
  requireAuthentification: true,
  httpAuthentication: webdavServerAuthentication(chain),
})
const server = new webdav.WebDAVServer(options)

// The user that webdav-server works with knows whose request it is.
server.beforeRequest(({ user, response }, next) => {
  const { principal } = user as PrincipalUser
  if (principal.kind === 'token') {
    response.setHeader('X-Owner', principal.subject)
    response.setHeader('X-Share', principal.clientId)
  }
  next()
})

const welcome = { 'welcome.txt': 'You came with a davmesh token.\n' }
server.rootFileSystem().addSubTree(server.createExternalContext(), welcome, (error) => {
  if (error) throw error
  server.start((http) => {
    const address = http?.address()
    if (typeof address !== 'object' || address === null) throw new Error('not listening')
    process.stdout.write(`http://127.0.0.1:${address.port}/welcome.txt\n`)
  })
})
