/** One Express route that opens for any access token a davmesh server has issued. */
import express from 'express'
import type { AddressInfo } from 'node:net'
import { createAuthChain, expressAuth, jwksAccessToken, principalOf } from 'davmesh'

const [issuer, port = '3000'] = process.argv.slice(2)
if (issuer === undefined) throw new Error('usage: main.ts ISSUER_URL [PORT]')

// Keys are fetched from the issuer when the first token comes, and kept.
const chain = createAuthChain([jwksAccessToken({ issuer })])

const app = express()

app.get('/whoami', expressAuth(chain), (request, response) => {
  const principal = principalOf(request)
  if (principal.kind !== 'token') throw new Error('this chain knows only tokens')
  response.json({
    owner: principal.subject,
    share: principal.clientId,
    recipient: principal.audience,
    until: new Date(principal.expiresAt).toISOString(),
  })
})

const server = app.listen(Number(port), '127.0.0.1', () => {
  const { port: bound } = server.address() as AddressInfo
  process.stdout.write(`http://127.0.0.1:${bound}/whoami\n`)
})
