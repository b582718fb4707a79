import { v2 } from 'webdav-server'

const [data = '', port = '0'] = process.argv.slice(2)
const options = new v2.WebDAVServerOptions()
Object.assign(options, { port: Number(port), hostname: '127.0.0.1' })
const server = new v2.WebDAVServer(options)
server.setFileSystem('/', new v2.PhysicalFileSystem(data), (ok) => {
  if (!ok) throw new Error('the file system was not mounted')
  server.start(() => undefined)
})
