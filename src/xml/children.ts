import { SaxesParser } from 'saxes'
import { XmlError } from './errors.ts'
import { guard, toElement, type XmlElement } from './reader.ts'
import { inside, noContext, type Context } from './serialize.ts'

/** A child of the root, whole, and what it inherits from the root. */
export interface XmlChild {
  readonly element: XmlElement
  readonly context: Context
}

export interface ChildrenLimits {
  /** What the document may have as a whole. */
  readonly maxBytes: number
  /** What may come without a child being complete. */
  readonly maxChildBytes: number
}

/**
 * The children of a document's root, as they come: however many there are, only one chunk's worth is
 * in memory. `expected` decides by the root whether this is the document that was waited for.
 *
 * @throws XmlError
 */
export async function* readChildren(
  bytes: AsyncIterable<Uint8Array>,
  expected: (root: XmlElement) => boolean,
  { maxBytes, maxChildBytes }: ChildrenLimits,
): AsyncGenerator<readonly XmlChild[]> {
  const open: XmlElement[] = []
  let found: XmlChild[] = []
  let context = noContext
  const parser = new SaxesParser({ xmlns: true, position: false })
  const restart = guard(parser, () => open.length)
  parser.on('opentag', (tag) => {
    const element = toElement(tag)
    if (open.length === 0) {
      if (!expected(element)) throw new XmlError('unexpected')
      context = inside(noContext, element)
    } else if (open.length > 1) {
      open.at(-1)?.children.push(element)
      open.at(-1)?.content.push(element)
    }
    open.push(element)
  })
  const onText = (text: string): void => {
    if (open.length > 1) open.at(-1)?.content.push(text)
  }
  parser.on('text', onText)
  parser.on('cdata', onText)
  parser.on('closetag', () => {
    const element = open.pop()
    if (open.length !== 1 || element === undefined) return
    found.push({ element, context })
    restart()
  })

  const decoder = new TextDecoder('utf-8', { fatal: true })
  let total = 0
  let pending = 0
  for await (const chunk of bytes) {
    total += chunk.length
    pending += chunk.length
    if (total > maxBytes) throw new XmlError('too_long')
    parser.write(decode(decoder, chunk))
    if (found.length > 0) {
      yield found
      found = []
      pending = 0
    } else if (pending > maxChildBytes) throw new XmlError('excessive')
  }
  parser.write(decode(decoder))
  parser.close()
  if (found.length > 0) yield found
}

function decode(decoder: InstanceType<typeof TextDecoder>, chunk?: Uint8Array): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch {
    throw new XmlError('not_utf8')
  }
}
