import { expect, it } from '@jest/globals'
import { parseXml, serializeElement } from '../../../src/xml/index.ts'

const again = (text: string): string => serializeElement(parseXml(Buffer.from(text)))

it.each(['__proto__', 'constructor', 'toString'])('a prefix %s keeps its namespace', (prefix) => {
  const text = `<${prefix}:a xmlns:${prefix}="urn:x"><${prefix}:b>c</${prefix}:b></${prefix}:a>`
  expect(again(text)).toBe(text)
})
