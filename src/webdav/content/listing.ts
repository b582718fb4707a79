import { createHash } from 'node:crypto'
import type { Entry } from '../../files/index.ts'
import type { Exchange } from '../exchange.ts'
import { memberOf, subjectOf } from '../properties/subject.ts'
import { escapeXml } from '../../xml/index.ts'

/** A page for people; more than this nobody reads. */
const maxMembers = 10_000

const style =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;' +
  'color-scheme:light dark}table{border-collapse:collapse;width:100%}' +
  'th,td{padding:.25rem .75rem .25rem 0;text-align:left}td{border-top:1px solid #8884}' +
  // Long names are broken, so that size and time stay in sight; blanks in names are shown.
  'td:first-child{width:100%;overflow-wrap:anywhere;white-space:pre-wrap}' +
  'th+th,td+td{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}'

const styleHash = createHash('sha256').update(style).digest('base64')

/** A sandboxed page may not offer downloads unless it says so. */
export const listingFields = {
  'Content-Type': 'text/html; charset=utf-8',
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${styleHash}'; sandbox allow-downloads`,
}

/** A directory as a plain page: a heading, a way up, a table. */
export async function renderListing(exchange: Exchange, directory: Entry): Promise<string> {
  const { tree, place } = exchange
  const members: Entry[] = []
  for await (const batch of tree.list(place.path)) {
    members.push(...batch.slice(0, maxMembers - members.length))
    if (members.length >= maxMembers) break
  }
  members.sort(inOrder)
  const subject = subjectOf(exchange, directory, undefined)
  const title = escapeXml(subject.displayName)
  const parent = subject.href.replace(/[^/]+\/$/, '')
  const up = subject.isRoot ? '' : `<p><a href="${parent}">Parent directory</a></p>\n`
  const more = members.length >= maxMembers ? '<p>Only the first members are shown.</p>\n' : ''
  return (
    '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n' +
    '<meta name="viewport" content="width=device-width">\n' +
    `<title>${title}</title>\n<style>${style}</style>\n</head>\n<body>\n<h1>${title}</h1>\n${up}` +
    '<table>\n<thead><tr><th scope="col">Name</th><th scope="col">Size</th>' +
    '<th scope="col">Changed (UTC)</th></tr></thead>\n<tbody>\n' +
    members.map((entry) => row(entry, memberOf(subject, entry).href)).join('') +
    `</tbody>\n</table>\n${more}</body>\n</html>\n`
  )
}

const byName = new Intl.Collator('en', { numeric: true })

/** Directories first; `9` before `10`, and small beside capital letters. */
const inOrder = (one: Entry, other: Entry): number =>
  Number(one.kind === 'file') - Number(other.kind === 'file') ||
  byName.compare(one.name, other.name)

function row(entry: Entry, href: string): string {
  const isDirectory = entry.kind === 'directory'
  const modified = new Date(entry.modifiedAt).toISOString()
  const readable = modified.slice(0, 16).replace('T', ' ')
  return (
    `<tr><td><a href="${href}">${escapeXml(entry.name)}${isDirectory ? '/' : ''}</a></td>` +
    `<td>${isDirectory ? '' : sizeText(entry.size)}</td>` +
    `<td><time datetime="${modified}">${readable}</time></td></tr>\n`
  )
}

/** `1.4 MiB`: three digits are enough for people. */
function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1)
  const size = bytes / 1024 ** step
  return `${size.toFixed(step === 0 || size >= 100 ? 0 : 1)} ${units[step] ?? ''}`
}
