import { createReadStream, createWriteStream, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream'

const [data = '', port = '0'] = process.argv.slice(2)

const listings = new Map<string, Buffer>()

function listingOf(path: string): Buffer {
  const known = listings.get(path)
  if (known) return known
  const names = path.endsWith('/') ? readdirSync(join(data, path)) : ['']
  const text = names.map((name) => `<response><href>${path}${name}</href></response>`.padEnd(400))
  const body = Buffer.from(`<multistatus xmlns="DAV:">${text.join('\n')}</multistatus>`)
  listings.set(path, body)
  return body
}

const server = createServer((req, res) => {
  const path = decodeURIComponent(req.url ?? '/')
  const fail = (): void => void res.destroy()
  switch (req.method) {
    case 'GET':
      pipeline(createReadStream(join(data, path)), res, fail)
      break
    case 'PUT':
      pipeline(req, createWriteStream(join(data, path)), (error) => {
        if (error) fail()
        else res.writeHead(204).end()
      })
      break
    case 'PROPFIND':
      res.writeHead(207, { 'Content-Type': 'application/xml' }).end(listingOf(path))
      break
    default:
      res.writeHead(200).end()
  }
})
server.listen(Number(port), '127.0.0.1')
