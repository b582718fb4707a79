import type { Entry } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { memberOf, subjectOf } from '../properties/subject.ts'
import { escapeXml } from '../xml/writer.ts'

/** A page for people; more than this nobody reads. */
const maxMembers = 10_000

export const listingFields = {
  'Content-Type': 'text/html; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
}

/** A directory as a plain page: a heading, a way up, a table. */
export async function renderListing(exchange: Exchange, directory: Entry): Promise<string> {
  const { tree, place } = exchange
  const members: Entry[] = []
  for await (const batch of tree.list(place.path)) {
    members.push(...batch.slice(0, maxMembers - members.length))
    if (members.length >= maxMembers) break
  }
  members.sort((one, other) => (one.name < other.name ? -1 : 1))
  const subject = subjectOf(exchange, directory, undefined)
  const title = escapeXml(subject.displayName)
  const parent = subject.href.replace(/[^/]+\/$/, '')
  const up = subject.isRoot ? '' : `<p><a href="${parent}">Parent directory</a></p>\n`
  const more = members.length >= maxMembers ? '<p>Only the first members are shown.</p>\n' : ''
  return (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width">\n' +
    `<title>${title}</title>\n</head>\n<body>\n<h1>${title}</h1>\n${up}` +
    '<table>\n<thead><tr><th scope="col">Name</th><th scope="col">Bytes</th>' +
    '<th scope="col">Modified</th></tr></thead>\n<tbody>\n' +
    members.map((entry) => row(entry, memberOf(subject, entry).href)).join('') +
    `</tbody>\n</table>\n${more}</body>\n</html>\n`
  )
}

function row(entry: Entry, href: string): string {
  const slash = entry.kind === 'directory' ? '/' : ''
  const modified = new Date(entry.modifiedAt).toISOString()
  const size = entry.kind === 'directory' ? '' : String(entry.size)
  return (
    `<tr><td><a href="${href}">${escapeXml(entry.name)}${slash}</a></td><td>${size}</td>` +
    `<td><time datetime="${modified}">${modified}</time></td></tr>\n`
  )
}
