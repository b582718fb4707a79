import { andThen, lastly, orElse, type Awaitable } from '../../core/index.ts'
import { FileError, type Entry, type OpenFile } from '../../files/index.ts'
import { checkConditions, isConditional } from '../conditions/evaluate.ts'
import { formatHttpDate, parseHttpDate } from '../conditions/http-date.ts'
import { strongMatch } from '../conditions/entity-tags.ts'
import { describeFile } from '../content/headers.ts'
import { listingFields, renderListing } from '../content/listing.ts'
import { parseRange } from '../content/range.ts'
import { sendPart, sendParts, sendWhole } from '../content/send.ts'
import { DavError, notFound } from '../errors.ts'
import type { DavMethod, Exchange } from '../exchange.ts'
import { endTogether } from '../../http/index.ts'

/** RFC 9110 §9.3.1, RFC 4918 §9.4 */
export const get: DavMethod = { needs: ['read'], body: 'ignored', run: runGet }

/** RFC 9110 §9.3.2: GET without the content; ranges are for GET alone. */
export const head: DavMethod = { needs: ['read'], body: 'ignored', run: runHead }

function runGet(exchange: Exchange): Awaitable<void> {
  const { tree, place, req } = exchange
  const hint = { range: req.headers.range, isConditional: isConditional(exchange) }
  const opened = orElse(
    () => tree.read(place.path, hint),
    (error) => {
      if (error instanceof FileError && error.code === 'is_a_directory') return undefined
      throw error
    },
  )
  return andThen(opened, (file) =>
    file
      ? lastly(
          () => sendFile(exchange, file),
          () => file.close(),
        )
      : sendListing(exchange),
  )
}

async function runHead(exchange: Exchange): Promise<void> {
  const entry = await exchange.tree.stat(exchange.place.path)
  if (!entry) throw notFound()
  if (entry.kind === 'directory') return sendListing(exchange)
  if ((await checkConditions(exchange, entry)) === 'not_modified') {
    sendNotModified(exchange, entry)
    return
  }
  exchange.res.writeHead(200, describeFile(entry))
  endTogether(exchange.res)
}

const sendFile = (exchange: Exchange, file: OpenFile): Awaitable<void> =>
  andThen(checkConditions(exchange, file.entry), (outcome) => {
    if (outcome === 'proceed') return sendContent(exchange, file)
    sendNotModified(exchange, file.entry)
  })

function sendContent({ req, res, settings }: Exchange, file: OpenFile): Awaitable<void> {
  const { entry } = file
  const fields = describeFile(entry)
  const { range } = req.headers
  const isAsked =
    range !== undefined &&
    rangeApplies(req.headersDistinct['if-range']?.[0], entry, settings.clock.now())
  const ranges = parseRange(isAsked ? range : undefined, entry.size)
  if (ranges === 'unsatisfiable') {
    // RFC 9110 §15.5.17
    throw new DavError(416, 'The range cannot be satisfied.', {
      headers: { 'Content-Range': `bytes */${entry.size}` },
    })
  }
  if (ranges === 'whole') return sendWhole(res, file, fields)
  const [first, second] = ranges
  if (first && !second) return sendPart(res, file, fields, first)
  return sendParts(res, file, fields, ranges)
}

/** RFC 9110 §13.1.5: a date is good enough only when nothing can have changed within its second. */
function rangeApplies(ifRange: string | undefined, entry: Entry, now: number): boolean {
  if (ifRange === undefined) return true
  const validator = ifRange.trim()
  if (validator.startsWith('"') || validator.startsWith('W/')) {
    return strongMatch(validator, entry.etag)
  }
  const since = parseHttpDate(validator)
  return (
    since !== undefined &&
    since === Math.floor(entry.modifiedAt / 1000) * 1000 &&
    now - since > 1000
  )
}

/** RFC 9110 §15.4.5 */
function sendNotModified({ res }: Exchange, entry: Entry): void {
  res.writeHead(304, { ETag: entry.etag, 'Last-Modified': formatHttpDate(entry.modifiedAt) })
  endTogether(res)
}

async function sendListing(exchange: Exchange): Promise<void> {
  const { tree, place, res } = exchange
  const entry = await tree.stat(place.path)
  if (!entry) throw notFound()
  // The page has no validator of its own: its rows change when the directory does not.
  await checkConditions(exchange, entry)
  const page = Buffer.from(await renderListing(exchange, entry))
  res.writeHead(200, { ...listingFields, 'Content-Length': page.length })
  endTogether(res, page)
}
