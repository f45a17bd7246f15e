const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** semver.org, without build metadata: a name has no "+". */
const number = '(?:0|[1-9]\\d*)'
const identifier = `(?:${number}|\\d*[A-Za-z-][0-9A-Za-z-]*)`
const semverPattern = new RegExp(`^(${number})\\.(${number})\\.(${number})(?:-(${identifier}(?:\\.${identifier})*))?$`)

export const nameRule = '1 to 64 characters from A-Z a-z 0-9 . _ -, the first a letter or digit'

/** True for what may be a model's name or a version, on disk and in a URL. */
export function isName (text: string): boolean {
  return namePattern.test(text)
}

/**
 * Orders versions, oldest first: by semver when every one of them is semver, else by natural order
 * (runs of digits compare as numbers).
 */
export function sortVersions (versions: readonly string[]): string[] {
  const compare = versions.every(version => semverPattern.test(version)) ? compareSemver : compareNatural
  return [...versions].sort(compare)
}

function compareSemver (a: string, b: string): number {
  const [, ...left] = semverPattern.exec(a) ?? []
  const [, ...right] = semverPattern.exec(b) ?? []
  for (let i = 0; i < 3; i++) {
    const order = compareDigits(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return comparePrerelease(left[3], right[3])
}

/** A release is higher than its pre-releases; numeric identifiers are lower than others (semver.org, rule 11). */
function comparePrerelease (a: string | undefined, b: string | undefined): number {
  if (a === b) return 0
  if (a === undefined) return 1
  if (b === undefined) return -1
  const left = a.split('.')
  const right = b.split('.')
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareIdentifiers(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length
}

function compareIdentifiers (a: string, b: string): number {
  const aNumeric = /^\d+$/.test(a)
  const bNumeric = /^\d+$/.test(b)
  if (aNumeric && bNumeric) return compareDigits(a, b)
  if (aNumeric !== bNumeric) return aNumeric ? -1 : 1
  return compareText(a, b)
}

function compareNatural (a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? []
  const right = b.match(/\d+|\D+/g) ?? []
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = compareIdentifiers(left[i] ?? '', right[i] ?? '')
    if (order !== 0) return order
  }
  return left.length - right.length || compareText(a, b)
}

/** Digits of any length as numbers, without the loss that a double would bring. */
function compareDigits (a: string, b: string): number {
  const left = a.replace(/^0+(?=\d)/, '')
  const right = b.replace(/^0+(?=\d)/, '')
  return left.length - right.length || compareText(left, right)
}

/** By code unit: the same on every machine, whatever its locale. */
function compareText (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
