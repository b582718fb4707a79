export const xmlType = 'application/xml; charset=utf-8'
export const xmlDeclaration = '<?xml version="1.0" encoding="utf-8"?>\n'

/** XML 1.0 §2.2: what no document may hold. */
const illegal = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|\p{Surrogate}/gu

const special = /[&<>"'\r\n\t]/g

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
}

/** Letters, digits and the usual punctuation: most names, and nothing that needs a second look. */
const safe = /^[\w .,:;()@/+=%-]*$/

/** The same with quotes, which text may hold. */
const safeText = /^[\w .,:;()@/+=%"'-]*$/

/** For text and attribute values alike; what XML cannot hold becomes U+FFFD. */
export const escapeXml = (text: string): string =>
  safe.test(text)
    ? text
    : text.replace(illegal, '\ufffd').replace(special, (character) => entities[character] ?? '')

/** For text alone: shorter where it holds quotes, as every entity tag does. */
export const escapeText = (text: string): string => (safeText.test(text) ? text : escapeXml(text))
