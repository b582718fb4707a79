import type { Dav, Files } from './stage.ts'

/** A file: what is in it, and what a property says of it. */
interface Kept {
  readonly content: string
  readonly mark: string
}

type Folder = Readonly<Record<string, Kept>>

/** Folders and their files by name, and whether `locked.txt` beside them is locked. */
export interface World {
  readonly folders: Readonly<Record<string, Folder>>
  readonly isLocked: boolean
}

/** A change, and what it makes of the world. */
export interface Step {
  readonly name: string
  readonly after: World
  readonly send: (dav: Dav, folder: string) => Promise<number>
}

/** A whole number from 0 to below `count`. */
export type Chance = (count: number) => number

export const emptyWorld: World = { folders: {}, isLocked: false }

const lockable = 'locked.txt'

/** As it is on the disk. */
export function filesOf({ folders }: World): Files {
  const files: Record<string, string> = { [lockable]: 'x' }
  for (const [folder, members] of Object.entries(folders)) {
    if (Object.keys(members).length === 0) files[`${folder}/`] = ''
    for (const [name, { content }] of Object.entries(members)) files[`${folder}/${name}`] = content
  }
  return files
}

/** What the properties say, by path. */
export const marksOf = ({ folders }: World): Files =>
  Object.fromEntries(
    Object.entries(folders).flatMap(([folder, members]) =>
      Object.entries(members).map(([name, { mark }]) => [`${folder}/${name}`, mark]),
    ),
  )

const dirs = ['d0', 'd1', 'd2']
const names = ['f0', 'f1', 'f2', 'f3']

/** Some change that the world allows: only the death of the server can be in its way. */
export function anyStep(world: World, chance: Chance): Step {
  const pick = (all: readonly string[]): string => all[chance(all.length)] ?? ''
  const { folders, isLocked } = world
  const present = Object.keys(folders)
  const missing = dirs.filter((dir) => !(dir in folders))
  const put = (folder: string, members: Folder): World => ({
    ...world,
    folders: { ...folders, [folder]: members },
  })
  const kind = present.length === 0 ? 0 : chance(12)
  const dir = pick(present)
  const members = folders[dir] ?? {}
  const [name, file] = Object.entries(members)[chance(Object.keys(members).length)] ?? []

  if (kind === 0 && missing.length > 0) {
    const made = pick(missing)
    const send: Step['send'] = async (dav) => (await dav.mkcol(made)).status
    return { name: `MKCOL ${made}`, after: put(made, {}), send }
  }
  if (kind === 1) {
    const after = { ...world, isLocked: !isLocked }
    return isLocked ? { name: 'UNLOCK', after, send: unlock } : { name: 'LOCK', after, send: lock }
  }
  if (kind <= 3 && name !== undefined && file !== undefined) {
    const mark = String(chance(1e9))
    const after = put(dir, { ...members, [name]: { ...file, mark } })
    const send: Step['send'] = async (dav) =>
      (await dav.proppatch(`${dir}/${name}`, markBody(mark))).status
    return { name: `PROPPATCH ${dir}/${name}`, after, send }
  }
  if (kind === 4 && present.length > 1) {
    const { [dir]: _, ...others } = folders
    const send: Step['send'] = async (dav) => (await dav.remove(dir)).status
    return { name: `DELETE ${dir}`, after: { ...world, folders: others }, send }
  }
  const method = chance(2) === 0 ? 'COPY' : 'MOVE'
  const { [dir]: _, ...otherFolders } = folders
  if (kind <= 6) {
    const to = pick(dirs.filter((one) => one !== dir))
    const rest = method === 'COPY' ? folders : otherFolders
    const after = { ...world, folders: { ...rest, [to]: members } }
    return transfer(method, dir, to, after)
  }
  if (kind <= 8 && name !== undefined && file !== undefined) {
    const to = pick(names.filter((one) => one !== name))
    const { [name]: __, ...others } = members
    const after = put(dir, { ...(method === 'COPY' ? members : others), [to]: file })
    return transfer(method, `${dir}/${name}`, `${dir}/${to}`, after)
  }
  const path = pick(names)
  const content = `${chance(1e9)} `.repeat(1 + chance(3) * 20_000)
  return {
    name: `PUT ${dir}/${path}`,
    after: put(dir, { ...members, [path]: { content, mark: members[path]?.mark ?? '' } }),
    send: async (dav) => (await dav.put(`${dir}/${path}`, content)).status,
  }
}

const transfer = (method: 'COPY' | 'MOVE', from: string, to: string, after: World): Step => ({
  name: `${method} ${from} ${to}`,
  after,
  send: async (dav, folder) =>
    (await dav.copyOrMove(method, from, `/dav/files/alice/${folder}/${to}`)).status,
})

const markBody = (value: string): string =>
  '<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>' +
  `<x:was xmlns:x="urn:x">${value}</x:was></D:prop></D:set></D:propertyupdate>`

const markQuery =
  '<D:propfind xmlns:D="DAV:"><D:prop><x:was xmlns:x="urn:x"/></D:prop></D:propfind>'

const lockBody =
  '<D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>' +
  '<D:locktype><D:write/></D:locktype></D:lockinfo>'

async function lock(dav: Dav): Promise<number> {
  const headers = { 'content-type': 'text/xml', timeout: 'Second-3600' }
  return (await dav.call('LOCK', lockable, { headers, body: lockBody })).status
}

async function unlock(dav: Dav): Promise<number> {
  const { text } = await dav.propfind(lockable)
  const [, token = ''] = /<D:locktoken><D:href>([^<]+)</.exec(text) ?? []
  return (await dav.call('UNLOCK', lockable, { headers: { 'lock-token': `<${token}>` } })).status
}

/** What a client sees of a world that is on the disk. */
export async function seenBy(dav: Dav, files: Files): Promise<{ marks: Files; isLocked: boolean }> {
  const marks: Record<string, string> = {}
  for (const path of Object.keys(files)) {
    if (path.endsWith('/') || path === lockable) continue
    const { text } = await dav.propfind(path, '0', markQuery)
    marks[path] = />([^<>]+)<\/[^>]*was>/.exec(text)?.[1] ?? ''
    const { headers } = await dav.get(path)
    const again = await dav.get(path, { 'if-none-match': headers['etag'] ?? '' })
    if (again.status !== 304) throw new Error(`${path}: ${again.status} for its own ETag`)
  }
  const isLocked = (await dav.put(lockable, 'x')).status === 423
  return { marks, isLocked }
}
