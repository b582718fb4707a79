import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { SaxesParser } from 'saxes'
import { mine, startScratch, type Reply, type Scratch, type Who } from './support.ts'

let scratch: Scratch

beforeAll(async () => {
  scratch = await startScratch()
  writeFileSync(join(scratch.home, 'shared', 'note.txt'), 'note')
  mkdirSync(join(scratch.home, 'shared', 'sub'))
})

afterAll(() => scratch.stop())

const namespaces =
  'xmlns="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:x="urn:x" ' +
  'xmlns:ocs="http://open-collaboration-services.org/ns" xmlns:ocm="http://open-cloud-mesh.org/ns"'

async function propfind(path: string, as: Who, asked = '', depth = '0'): Promise<Reply> {
  const body = asked === '' ? '' : `<propfind ${namespaces}>${asked}</propfind>`
  const headers = { Depth: depth, 'Content-Type': 'application/xml' }
  const reply = await scratch.send({ method: 'PROPFIND', path, as, headers, body })
  expect(reply.status).toBe(207)
  expect(reply.headers['content-type']).toBe('application/xml; charset=utf-8')
  const parser = new SaxesParser({ xmlns: true })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(reply.body).close()
  return reply
}

describe('PROPFIND', () => {
  it('gives every standard property when nothing is asked for', async () => {
    for (const asked of ['', '<allprop/>']) {
      const { body } = await propfind(mine('shared/note.txt'), 'alice', asked)
      expect(body).toContain('<D:resourcetype/>')
      expect(body).toContain('<D:getcontentlength>4</D:getcontentlength>')
      expect(body).toContain('<D:getcontenttype>text/plain; charset=utf-8</D:getcontenttype>')
      expect(body).toMatch(/<D:getetag>"[^<]+"<\/D:getetag>/)
      expect(body).toMatch(/<D:getlastmodified>[^<]+ GMT<\/D:getlastmodified>/)
      expect(body).toMatch(/<D:creationdate>\d{4}-[^<]+Z<\/D:creationdate>/)
      expect(body).toContain('<D:displayname>note.txt</D:displayname>')
      expect(body).toMatch(/<D:supportedlock>.*exclusive.*shared.*<\/D:supportedlock>/)
      expect(body).toContain('<D:lockdiscovery/>')
      expect(body).not.toMatch(/quota|HTTP\/1.1 404|<oc:/)
    }
  })

  it('adds what an allprop includes', async () => {
    const asked = '<allprop/><include><quota-used-bytes/><oc:id/></include>'
    const { body } = await propfind(mine('shared'), 'alice', asked)
    expect(body).toMatch(/<D:quota-used-bytes>\d+</)
    expect(body).toMatch(/<oc:id>[\w-]{22}</)
  })

  it('names what a resource has', async () => {
    const { body } = await propfind(mine('shared/note.txt'), 'alice', '<propname/>')
    expect(body).toContain('<D:getcontentlength/>')
    expect(body).toContain('<oc:permissions/>')
    expect(body).not.toMatch(/quota|<D:collection|404/)
    const directory = await propfind(mine('shared'), 'alice', '<propname/>')
    expect(directory.body).not.toContain('getcontentlength')
  })

  it('reports what is missing, under any name', async () => {
    const asked = '<prop><getetag/><x:y/><quota-used-bytes/><none xmlns=""/></prop>'
    const { body } = await propfind(mine('shared/note.txt'), 'alice', asked)
    expect(body).toContain(
      '<D:propstat><D:prop><x:y xmlns:x="urn:x"/><none/><D:quota-used-bytes/></D:prop>' +
        '<D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>',
    )
    const { body: odd } = await propfind(
      mine(''),
      'alice',
      '<prop><q xmlns="&quot;&lt;&amp;"/></prop>',
    )
    expect(odd).toContain('xmlns:x="&quot;&lt;&amp;"')
    const { body: empty } = await propfind(mine(''), 'alice', '<prop/>')
    expect(empty).toContain('<D:prop></D:prop><D:status>HTTP/1.1 200 OK')
  })

  it('lists members, directories with a slash', async () => {
    const { body } = await propfind('/dav/ocm', 'reader', '', '1')
    const hrefs = [...body.matchAll(/<D:href>([^<]*)</g)].map(([, href]) => href)
    expect(hrefs[0]).toBe('/dav/ocm/')
    expect(hrefs.slice(1).sort()).toEqual(['/dav/ocm/note.txt', '/dav/ocm/sub/'])
  })

  const asked = '<prop><oc:permissions/><ocs:share-permissions/><ocm:share-permissions/></prop>'
  const rows: [Who, string, string, number, string][] = [
    ['reader', '/dav/ocm/note.txt', 'G', 1, 'read'],
    ['reader', '/dav/ocm/', 'G', 1, 'read'],
    ['writer', '/dav/ocm/note.txt', 'RGDNVW', 27, 'read write share'],
    ['writer', '/dav/ocm/sub/', 'RGDNVCK', 31, 'read write share'],
    ['writer', '/dav/ocm/', 'RGCK', 23, 'read write share'],
    ['file', '/dav/ocm/', 'GW', 3, 'read write'],
    ['alice', '/dav/files/alice/shared', 'RGDNVCK', 31, 'read write share'],
  ]

  it.each(rows)('tells %s what %s permits', async (as, path, letters, bits, words) => {
    const { body } = await propfind(path, as, asked)
    expect(body).toContain(`<oc:permissions>${letters}</oc:permissions>`)
    expect(body).toContain(`<ocs:share-permissions>${bits}</ocs:share-permissions>`)
    const json = `[${words
      .split(' ')
      .map((word) => `&quot;${word}&quot;`)
      .join(',')}]`
    expect(body).toContain(`<ocm:share-permissions>${json}</ocm:share-permissions>`)
  })
})
