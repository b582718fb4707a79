/** A property's name: RFC 4918 §4.4, a namespace and a local name. */
export interface PropertyName {
  readonly namespace: string
  readonly name: string
}

export const dav = 'DAV:'
export const owncloud = 'http://owncloud.org/ns'
export const openCollaboration = 'http://open-collaboration-services.org/ns'
export const openCloudMesh = 'http://open-cloud-mesh.org/ns'

/** The prefixes of every multi-status body of ours. */
export const prefixes: Readonly<Record<string, string>> = {
  [dav]: 'D',
  [owncloud]: 'oc',
  [openCollaboration]: 'ocs',
  [openCloudMesh]: 'ocm',
}

/** One text per name; a line feed is in neither part. */
export const keyOf = ({ namespace, name }: PropertyName): string => `${namespace}\n${name}`
