import { inside, readChildren, XmlError, type Context, type XmlElement } from '../../xml/index.ts'
import { bodyFailure, garbled, unreachable, type Answer } from './answers.ts'

/** One `response` of a Multi-Status (RFC 4918 §14.24). */
export interface MemberStatus {
  readonly hrefs: readonly string[]
  /** For the resource as a whole. */
  readonly status: number | undefined
  /** Whether it speaks of properties, were there any. */
  readonly isDescription: boolean
  readonly properties: readonly PropertyStatus[]
}

export interface PropertyStatus {
  readonly status: number
  readonly element: XmlElement
  readonly context: Context
}

/** Properties have values, but none of a whole document's size. */
const maxChildBytes = 1024 * 1024

/** Who sends this little would keep us busy for ever, without being silent. */
const minBytesPerSecond = 16 * 1024

/** What answers that are not files may take. */
export interface Bounds {
  /** How long an answer that is not a file may take, however short it is. */
  readonly patienceMs: number
  /** What it may have at most. */
  readonly maxListingBytes: number
}

/**
 * The responses of a Multi-Status, as they come.
 *
 * @throws MountError `sender_garbled`
 */
export async function* readMultistatus(
  answer: Answer,
  bounds: Bounds,
): AsyncGenerator<readonly MemberStatus[]> {
  try {
    const limits = { maxBytes: bounds.maxListingBytes, maxChildBytes }
    const children = readChildren(inTime(answer, bounds), isMultistatus, limits)
    for await (const batch of children) {
      const responses = batch.filter(({ element }) => isDav(element, 'response'))
      yield responses.map(({ element, context }) => toStatus(element, context))
    }
  } catch (error) {
    throw error instanceof XmlError ? garbled(error) : error
  } finally {
    answer.body.destroy()
  }
}

/** The bytes of an answer that is read for what it says; a drip is as good as silence. */
export async function* inTime(
  { body }: Answer,
  { patienceMs }: Bounds,
): AsyncGenerator<Uint8Array> {
  const startedAt = performance.now()
  let size = 0
  const check = (): void => {
    const allowed = patienceMs + (size / minBytesPerSecond) * 1000
    if (performance.now() - startedAt > allowed)
      body.destroy(unreachable(new Error('the answer only drips')))
  }
  const timer = setInterval(check, Math.min(1000, patienceMs)).unref()
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      size += chunk.length
      yield chunk
    }
  } catch (error) {
    throw bodyFailure(error)
  } finally {
    clearInterval(timer)
  }
}

const isDav = (element: XmlElement, name: string): boolean =>
  element.name === name && element.namespace === 'DAV:'

const isMultistatus = (root: XmlElement): boolean => isDav(root, 'multistatus')

export const textOf = ({ content }: XmlElement): string =>
  content.map((part) => (typeof part === 'string' ? part : textOf(part))).join('')

/** RFC 9110 §4: `HTTP/1.1 200 OK`; what is unreadable is no success. */
const statusOf = (parent: XmlElement): number | undefined => {
  const found = parent.children.find((child) => isDav(child, 'status'))
  return found && Number(/^\s*HTTP\/\d(?:\.\d)?\s+(\d{3})\b/i.exec(textOf(found))?.[1] ?? 500)
}

function toStatus(element: XmlElement, outer: Context): MemberStatus {
  const context = inside(outer, element)
  const hrefs: string[] = []
  const properties: PropertyStatus[] = []
  let isDescription = false
  for (const child of element.children) {
    if (isDav(child, 'href')) hrefs.push(textOf(child))
    else if (isDav(child, 'propstat')) {
      isDescription = true
      properties.push(...propertiesOf(child, context))
    }
  }
  return { hrefs, status: statusOf(element), isDescription, properties }
}

function propertiesOf(propstat: XmlElement, outer: Context): PropertyStatus[] {
  const status = statusOf(propstat) ?? 500
  const between = inside(outer, propstat)
  return propstat.children
    .filter((child) => isDav(child, 'prop'))
    .flatMap((prop) => {
      const context = inside(between, prop)
      return prop.children.map((child) => ({ status, element: child, context }))
    })
}
