const [quote, comma, cr, lf] = [0x22, 0x2c, 0x0d, 0x0a]

/**
 * How many of the first bytes are whole lines.
 *
 * @param isLast  nothing follows: what has no line end is whole too
 */
export function wholeLines (bytes: Buffer, isLast: boolean): number {
  return isLast ? bytes.length : bytes.lastIndexOf(lf) + 1
}

/**
 * How many of the first bytes are whole records of CSV, by the rules of csv-records.ts: a line feed within quotes
 * ends none, and a quote that stands where none may makes its line a record of its own. Reads no more into the
 * bytes than that, for all of a file goes through here on one thread.
 *
 * @param bytes   begin with a record
 * @param isLast  nothing follows; what is left over then has a quote that is not closed
 */
export function wholeRecords (bytes: Buffer, isLast: boolean): number {
  const first = bytes.indexOf(quote)
  if (first === -1) return wholeLines(bytes, isLast)
  let [at, whole] = [bytes.lastIndexOf(lf, first) + 1, bytes.lastIndexOf(lf, first) + 1]
  while (at < bytes.length) {
    const end = bytes[at] === quote ? quotedCellEnd(bytes, at, isLast) : plainCellEnd(bytes, at)
    if (end === undefined) return whole
    at = bytes[end] === comma ? end + 1 : lineEnd(bytes, end)
    if (at === 0) return isLast ? bytes.length : whole
    if (bytes[at - 1] === lf) whole = at
  }
  return isLast ? bytes.length : whole
}

/** Where what follows the closing quote stands; undefined where that has not come yet. */
function quotedCellEnd (bytes: Buffer, start: number, isLast: boolean): number | undefined {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] !== quote) continue
    const next = bytes[at + 1]
    if (next === undefined || (next === cr && at + 2 === bytes.length)) return isLast ? at + 1 : undefined
    if (next !== quote) return next === cr && bytes[at + 2] === lf ? at + 2 : at + 1
    at++
  }
  return undefined
}

/** Where the cell's comma, its line end or a quote stands that may not stand in it. */
function plainCellEnd (bytes: Buffer, start: number): number {
  let at = start
  for (let byte = bytes[at]; at < bytes.length && byte !== comma && byte !== lf && byte !== quote; byte = bytes[++at]);
  return at
}

/** Behind the line feed; 0 where there is none. */
function lineEnd (bytes: Buffer, from: number): number {
  return bytes[from] === lf ? from + 1 : bytes.indexOf(lf, from) + 1
}

export function countLines (bytes: Uint8Array, start = 0, end = bytes.length): number {
  let lines = 0
  for (let at = start; at < end; at++) if (bytes[at] === lf) lines++
  return lines
}
