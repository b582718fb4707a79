import type { Permission } from '../../auth/index.ts'
import { hashSecret } from '../../core/index.ts'
import type { Entry, Space } from '../../files/index.ts'
import { formatHttpDate, formatTimestamp } from '../conditions/http-date.ts'
import { typeOf } from '../content/headers.ts'
import { supportedLocks } from '../locks/discovery.ts'
import type { DeadProperty } from '../resources.ts'
import { escapeText, escapeXml } from '../../xml/index.ts'
import { dav, keyOf, openCloudMesh, openCollaboration, owncloud, prefixes } from './names.ts'
import { permissionBits, permissionLetters } from './permissions.ts'

/** A resource as its properties see it. */
export interface Subject {
  readonly entry: Entry
  readonly href: string
  readonly isRoot: boolean
  readonly displayName: string
  readonly permissions: readonly Permission[]
  /** Known only when a quota was asked for. */
  readonly space: Space | undefined
  /** The content of `lockdiscovery`, when it was asked for. */
  readonly lockDiscovery: string
  /** Those asked for, if the resource has any. */
  readonly dead: readonly DeadProperty[] | undefined
}

export interface LiveProperty {
  /** Its name with our prefix. */
  readonly tag: string
  /** Its element without content. */
  readonly empty: string
  readonly start: string
  readonly end: string
  readonly isInAllprop: boolean
  /** Its content as XML, or `undefined` where the resource has no such property. */
  readonly value: (subject: Subject) => string | undefined
}

type Value = LiveProperty['value']

const onFiles =
  (value: (entry: Entry) => string): Value =>
  ({ entry }) =>
    entry.kind === 'file' ? value(entry) : undefined

const onDirectories =
  (value: (subject: Subject) => string | undefined): Value =>
  (subject) =>
    subject.entry.kind === 'directory' ? value(subject) : undefined

/** RFC 4918 §15 */
const standard: Record<string, Value> = {
  resourcetype: ({ entry }) => (entry.kind === 'directory' ? '<D:collection/>' : ''),
  getcontentlength: onFiles(({ size }) => String(size)),
  getcontenttype: onFiles(({ name }) => escapeXml(typeOf(name))),
  getetag: ({ entry }) => escapeText(entry.etag),
  getlastmodified: ({ entry }) => formatHttpDate(entry.modifiedAt),
  creationdate: ({ entry }) => formatTimestamp(entry.createdAt),
  displayname: ({ displayName }) => escapeXml(displayName),
  supportedlock: ({ permissions }) => (permissions.includes('write') ? supportedLocks : ''),
  lockdiscovery: ({ lockDiscovery }) => lockDiscovery,
}

/** RFC 4331 §2: not in allprop, because they may be dear. */
const quota: Record<string, Value> = {
  'quota-available-bytes': onDirectories(({ space }) => space && String(space.availableBytes)),
  'quota-used-bytes': onDirectories(({ space }) => space && String(space.usedBytes)),
}

const shared: Record<string, Record<string, Value>> = {
  [owncloud]: {
    permissions: permissionLetters,
    // Stable while the resource stays where it is; an inode changes with every upload.
    id: ({ href }) => hashSecret(href).slice(0, 22),
  },
  [openCollaboration]: { 'share-permissions': (subject) => String(permissionBits(subject)) },
  [openCloudMesh]: {
    'share-permissions': ({ permissions }) => escapeXml(JSON.stringify(permissions)),
  },
}

const quotaTags = new Set(Object.keys(quota).map((name) => `D:${name}`))

export const asksForSpace = (properties: readonly LiveProperty[]): boolean =>
  properties.some(({ tag }) => quotaTags.has(tag))

export const asksForLocks = (properties: readonly LiveProperty[]): boolean =>
  properties.some(({ tag }) => tag === 'D:lockdiscovery')

/** Every live property, by `keyOf` its name. All are protected: only the server changes them. */
export const liveProperties: ReadonlyMap<string, LiveProperty> = new Map([
  ...rowsOf(dav, standard, true),
  ...rowsOf(dav, quota, false),
  ...Object.entries(shared).flatMap(([namespace, values]) => rowsOf(namespace, values, false)),
])

function rowsOf(
  namespace: string,
  values: Record<string, Value>,
  isInAllprop: boolean,
): [string, LiveProperty][] {
  return Object.entries(values).map(([name, value]) => {
    const tag = `${prefixes[namespace] ?? ''}:${name}`
    const texts = { tag, empty: `<${tag}/>`, start: `<${tag}>`, end: `</${tag}>` }
    return [keyOf({ namespace, name }), { ...texts, isInAllprop, value }]
  })
}
