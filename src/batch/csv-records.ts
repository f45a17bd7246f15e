/** A record of a CSV file: what one row says, on one line or, within quotes, on several. */
export interface CsvRecord {
  readonly cells: readonly string[]
  /** Why it is no record; `cells` is then its text. */
  readonly fault: string | undefined
  /** Behind its line end. */
  readonly end: number
}

/**
 * Reads a record of CSV by the rules of `POST /predict`: commas, quotes that are doubled within quotes, lines that
 * end in LF or CRLF. A record with a stray quote is a fault of its own, and ends with the line on which that shows.
 *
 * @param text  whole records; a quote that is not closed is closed at its end
 */
export function readRecord (text: string, start: number): CsvRecord {
  const cells: string[] = []
  for (let at = start; ;) {
    const cell = text[at] === '"' ? quotedCell(text, at) : plainCell(text, at)
    if (cell.fault !== undefined) return faulty(text, start, cell.end, cell.fault)
    cells.push(cell.text)
    if (text[cell.end] !== ',') return { cells, fault: undefined, end: afterLine(text, cell.end) }
    at = cell.end + 1
  }
}

/** Where the next line that is not empty begins. */
export function skipEmptyLines (text: string, start: number): number {
  let at = start
  for (;;) {
    if (text[at] === '\n') at++
    else if (text[at] === '\r' && text[at + 1] === '\n') at += 2
    else return at
  }
}

/** `end` is where the cell's comma or line end stands, or where its fault was met. */
interface Cell { readonly text: string, readonly end: number, readonly fault?: string }

function quotedCell (text: string, start: number): Cell {
  let cell = ''
  for (let from = start + 1; ;) {
    const found = text.indexOf('"', from)
    const quote = found === -1 ? text.length : found
    cell += text.slice(from, quote)
    from = quote + 2
    if (text[quote + 1] === '"') {
      cell += '"'
      continue
    }
    const end = Math.min(quote + 1, text.length)
    const isClosed = end === text.length || text[end] === ',' || text[end] === '\n' || text.startsWith('\r\n', end)
    return isClosed ? { text: cell, end } : { text: cell, end, fault: 'is not valid CSV: something follows a closing quote' }
  }
}

function plainCell (text: string, start: number): Cell {
  let end = start
  while (end < text.length && text[end] !== ',' && text[end] !== '\n' && text[end] !== '"') end++
  if (text[end] === '"') return { text: '', end, fault: 'is not valid CSV: a quote stands within a cell that does not begin with one' }
  const isCrLf = text[end] === '\n' && end > start && text[end - 1] === '\r'
  return { text: text.slice(start, isCrLf ? end - 1 : end), end }
}

function faulty (text: string, start: number, met: number, fault: string): CsvRecord {
  const newline = text.indexOf('\n', met)
  const end = newline === -1 ? text.length : newline
  return { cells: [text.slice(start, end).replace(/\r$/, '')], fault, end: Math.min(text.length, end + 1) }
}

function afterLine (text: string, end: number): number {
  return Math.min(text.length, text[end] === '\r' ? end + 2 : end + 1)
}
