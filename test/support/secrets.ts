/**
 * The forms in which a secret could leak: as it is, percent-encoded, hex, and inside base64 or
 * base64url of a longer text, where it looks different at each of three alignments.
 */
export function formsOf(secret: string): string[] {
  const percent = [...Buffer.from(secret)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`)
  const base64 = [0, 1, 2].flatMap((shift) => {
    const whole = Buffer.from(' '.repeat(shift) + secret).toString('base64')
    // Drops the letters that depend on what stands before and behind.
    const sure = whole.slice(shift === 0 ? 0 : shift + 1, whole.replace(/=+$/, '').length - 1)
    return [sure, sure.replaceAll('+', '-').replaceAll('/', '_')]
  })
  return [
    ...new Set([
      secret,
      encodeURIComponent(secret),
      percent.join(''),
      Buffer.from(secret).toString('hex'),
      ...base64,
    ]),
  ]
}

/** Which of the secrets a text gives away; names nothing but their position. */
export function leaksIn(text: string, secrets: Iterable<string>): number[] {
  const lower = text.toLowerCase()
  return [...secrets].flatMap((secret, index) =>
    formsOf(secret).some((form) => text.includes(form) || lower.includes(form.toLowerCase()))
      ? [index]
      : [],
  )
}
