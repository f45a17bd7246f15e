import { randomUUID } from 'node:crypto'

/** How the integers of a parsed text are told. */
export interface Integers {
  /** The whole number that a value stands for; undefined where it is none, was already rounded, or has more than 64 bits. */
  readonly of: (value: unknown) => bigint | undefined
  /** What the caller wrote. */
  readonly written: (value: unknown) => unknown
}

/** For JSON in which no integer is longer than a double holds. */
export const plainIntegers: Integers = {
  of: value => typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined,
  written: value => value,
}

/** Below, every whole number is a double: `Number.MAX_SAFE_INTEGER` has 16 digits. */
const exactDigits = 15

/** Longer than any number of 64 bits; making a bigint of a million digits would take long. */
const maxDigits = 20

const longInteger = /(?:^|[[,:\s])-?\d{16,}(?:[\],}\s]|$)/

/** Whether a JSON text may have an integer that JSON.parse rounds. */
export function hasLongIntegers (text: string): boolean {
  return longInteger.test(text)
}

/**
 * Parses a JSON text without rounding its integers. Takes a while: for texts that need it.
 *
 * @param text  valid JSON
 */
export function parseExactly (text: string): { body: unknown, integers: Integers } {
  // JSON.parse does not tell how a number was written, so long ones are handed through it as texts that no caller can forge.
  const mark = `${randomUUID()}:`
  const digitsOf = (value: unknown): string | undefined => typeof value === 'string' && value.startsWith(mark) ? value.slice(mark.length) : undefined
  return {
    body: JSON.parse(quoteLongIntegers(text, mark)),
    integers: {
      of: value => {
        const digits = digitsOf(value)
        if (digits === undefined) return plainIntegers.of(value)
        return digits.length > maxDigits ? undefined : BigInt(digits)
      },
      written: value => Number(digitsOf(value) ?? NaN) || value,
    },
  }
}

function quoteLongIntegers (text: string, mark: string): string {
  const parts: string[] = []
  let copied = 0
  let at = 0
  while (at < text.length) {
    if (text[at] === '"') {
      at = afterText(text, at)
    } else if (isNumberPart(text.charCodeAt(at))) {
      const start = at
      while (at < text.length && isNumberPart(text.charCodeAt(at))) at++
      const number = text.slice(start, at)
      if (number.length > exactDigits && /^-?\d+$/.test(number)) {
        parts.push(text.slice(copied, start), `"${mark}${number}"`)
        copied = at
      }
    } else {
      at++
    }
  }
  return parts.join('') + text.slice(copied)
}

/** The place behind the text that begins at a quote. */
function afterText (text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

/** A character of `-12.5e+3`; the e of `true` and `false` stands alone and is no integer. */
function isNumberPart (code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e || code === 0x65 || code === 0x45 || code === 0x2b
}
