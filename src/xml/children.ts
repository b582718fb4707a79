import { SaxesParser } from 'saxes'
import { XmlError } from './errors.ts'
import { createPlainReader, isPlainText } from './plain.ts'
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

/** The declaration, if there is one, and the tag of the root; the parser judges what it says. */
const rootStart = /^\ufeff?\s*(?:<\?xml[^<>]*\?>\s*)?<[^<>!?/][^<>]*>/

/** As much of one child is read again when more of it has come; longer ones are the parser's. */
const maxPlainRest = 64 * 1024

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

  /** Text that was not read to its end; the parser gets it when it turns out not to be plain. */
  let rest = ''
  let isPlain = true
  let read: ReturnType<typeof createPlainReader> | undefined

  function giveUp(): void {
    isPlain = false
    parser.write(rest)
    rest = ''
  }

  function take(text: string): void {
    if (!isPlain) {
      parser.write(text)
      return
    }
    rest += text
    if (!isPlainText(text)) {
      giveUp()
      return
    }
    read ??= beginPlain()
    if (read) readPlain(read)
    if (rest.length > maxPlainRest) giveUp()
  }

  /** What comes before the first child is the parser's, which stays where that begins. */
  function beginPlain(): typeof read {
    const [start] = rootStart.exec(rest) ?? []
    if (start === undefined) return undefined
    parser.write(start)
    rest = rest.slice(start.length)
    const [root] = open
    if (root && open.length === 1) return createPlainReader(root.declared)
    giveUp()
    return undefined
  }

  function readPlain(readOne: NonNullable<typeof read>): void {
    let at = 0
    for (;;) {
      const next = rest.indexOf('<', at)
      if (next < 0 || next + 1 === rest.length) break
      const isEnd = rest[next + 1] === '/' || rest.slice(at, next).trim() !== ''
      const child = isEnd ? 'unusual' : readOne(rest, next)
      if (child === 'incomplete') break
      if (child === 'unusual') {
        rest = rest.slice(at)
        giveUp()
        return
      }
      found.push({ element: child.element, context })
      at = child.end
    }
    rest = rest.slice(at)
  }

  const decoder = new TextDecoder('utf-8', { fatal: true })
  let total = 0
  let pending = 0
  for await (const chunk of bytes) {
    total += chunk.length
    pending += chunk.length
    if (total > maxBytes) throw new XmlError('too_long')
    take(decode(decoder, chunk))
    if (found.length > 0) {
      yield found
      found = []
      pending = 0
    } else if (pending > maxChildBytes) throw new XmlError('excessive')
  }
  take(decode(decoder))
  if (isPlain) giveUp()
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
