/**
 * Controls, which nobody sees and terminals obey, and what turns the direction of writing, so that
 * what is shown is not what is there.
 */
const deceptive = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/

/** Whether a text from elsewhere could lie to whoever reads it. */
export const isDeceptive = (text: string): boolean => deceptive.test(text)

/** A text from elsewhere, fit to be shown. */
export const withoutDeception = (text: string, instead = ''): string =>
  text.replace(new RegExp(`${deceptive.source}+`, 'g'), instead)
