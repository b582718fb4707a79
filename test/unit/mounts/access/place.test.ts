import { describe, expect, it } from '@jest/globals'
import { rootOf, urlBelow } from '../../../../src/mounts/access/place.ts'
import { parseDiscovery } from '../../../../src/peers/discovery-document.ts'
import {
  discoveryOf,
  type DiscoveryDocument,
  type Flavour,
} from '../../../support/peer/discovery.ts'

const senderHost = 'cloud.example.org'
const origin = `https://${senderHost}`

const peerOf = (flavour: Flavour, change: DiscoveryDocument = {}) => ({
  host: senderHost,
  profile: {},
  discovery: parseDiscovery(
    { ...discoveryOf(flavour, origin), ...change },
    senderHost,
    new URL(`${origin}/.well-known/ocm`),
  ),
})

const place = (
  uri: string | null,
  peer = peerOf('plain'),
  resourceType: 'file' | 'folder' = 'folder',
) => rootOf({ uri, senderHost, resourceType }, peer).href

const rootAt = (webdav: string) =>
  peerOf('plain', {
    resourceTypes: [{ name: 'file', shareTypes: ['user'], protocols: { webdav } }],
  })

describe('where a share lives', () => {
  it.each([
    [
      'an absolute URL, as it is',
      `${origin}/remote.php/dav/ocm/42`,
      `${origin}/remote.php/dav/ocm/42`,
    ],
    ['one with a default port', `https://${senderHost}:443/dav/42/`, `${origin}/dav/42/`],
    ['an id below the root', '42', `${origin}/remote/42`],
    ['an id with a slash', 'a/b', `${origin}/remote/a/b`],
    ['no id: the root', null, `${origin}/remote/`],
  ])('%s', (_, uri, expected) => {
    expect(place(uri)).toBe(expected)
  })

  it.each<[Flavour, string]>([
    ['nextcloud-newest', '/public.php/webdav/'],
    ['nextcloud-v32-cavage', '/public.php/webdav/'],
    ['ocmgo', '/webdav/ocm/'],
    ['reva', '/remote.php/dav/ocm'],
    ['opencloud-2025-02', '/dav/ocm'],
  ])('at %s, whose root is %s', (flavour, root) => {
    expect(place(null, peerOf(flavour))).toBe(origin + root)
    expect(place('42', peerOf(flavour))).toBe(`${origin}${root.replace(/\/$/, '')}/42`)
  })

  it.each([
    ['another server', `https://other.example.org/42`],
    ['another port', `https://${senderHost}:8443/42`],
    ['a user in the URL', `https://me:pw@${senderHost}/42`],
    ['another scheme', `ftp://${senderHost}/42`],
    ['a step up', '../../admin'],
    ['a step up in another spelling', '%2e%2e/admin'],
  ])('is never %s', (_, uri) => {
    expect(() => place(uri)).toThrow(expect.objectContaining({ code: 'sender_garbled' }))
  })

  it.each(['https://other.example.org/dav/', '//other.example.org/dav/', 'https://['])(
    'is not what a discovery document says elsewhere: %s',
    (webdav) => {
      expect(() => place(null, rootAt(webdav))).toThrow(
        expect.objectContaining({ code: 'sender_garbled' }),
      )
    },
  )

  it('is nowhere when the sender has no WebDAV', () => {
    const none = peerOf('plain', { resourceTypes: [] })
    expect(() => place('42', none)).toThrow(expect.objectContaining({ code: 'sender_garbled' }))
  })
})

describe('something below a share', () => {
  const root = new URL(`${origin}/remote/42`)

  it.each<[string[], boolean, string]>([
    [[], false, ''],
    [[], true, ''],
    [['a', 'b.txt'], false, '/a/b.txt'],
    [['a', 'b'], true, '/a/b/'],
    [['50 % of it?', '#1'], false, '/50%20%25%20of%20it%3F/%231'],
    [['%2e%2e'], false, '/%252e%252e'],
    [['Größe', '日本'], false, '/Gr%C3%B6%C3%9Fe/%E6%97%A5%E6%9C%AC'],
  ])('%j (collection: %s) is at %s', (path, isCollection, below) => {
    expect(urlBelow(root, path, isCollection)).toBe(`${root.href}${below}`)
    expect(new URL(urlBelow(root, path, isCollection)).pathname).toBe(`/remote/42${below}`)
  })

  it('does not double the slash of a root that has one', () => {
    expect(urlBelow(new URL(`${origin}/dav/`), ['a'], false)).toBe(`${origin}/dav/a`)
  })

  it.each(['..', '.', '', 'a/b', 'a\0'])('is not %j', (name) => {
    expect(() => urlBelow(root, [name], false)).toThrow(
      expect.objectContaining({ code: 'forbidden_name' }),
    )
  })
})
