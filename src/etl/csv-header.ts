import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import { FatalError } from '../errors.ts'

export interface Header {
  readonly columns: readonly string[]
  readonly delimiter: string
  readonly newline: '\n' | '\r\n' | '\r'
}

/** A header beyond this is none. */
const maxHeaderLength = 2 ** 20
const delimiters = [',', ';', '\t', '|']

/**
 * Reads the names of a CSV file's columns, and with them how it is written: the sign that stands most
 * often between them is the delimiter, whatever the rows below look like.
 *
 * @throws FatalError where the file does not begin with a line of text
 */
export async function readHeader (path: string, gzip: boolean, { encoding, delimiter: told }: { encoding: string, delimiter?: string | undefined }): Promise<Header> {
  const { line, newline } = await readLine(path, gzip, encoding)
  if (line.trim() === '') throw new FatalError(`${path} has no header: its first line must name the columns`)
  // Signs of control, but for tabs, are no text.
  // eslint-disable-next-line no-control-regex
  if (/[\0-\x08\x0E-\x1F\uFFFD]/.test(line)) throw new FatalError(`${path} is not CSV: its first line has bytes that are no text`)
  const bare = line.replace(/"[^"]*"/g, '')
  const count = (sign: string): number => bare.split(sign).length
  const delimiter = told ?? delimiters.reduce((best, sign) => count(sign) > count(best) ? sign : best)
  const [columns = []]: string[][] = parse(line, { delimiter, relax_quotes: true, trim: true })
  return { columns, delimiter, newline }
}

/** A gzip file is read to its end: DuckDB takes one that is cut off for a shorter one. */
async function readLine (path: string, gzip: boolean, encoding: string): Promise<{ line: string, newline: Header['newline'] }> {
  const source = createReadStream(path)
  const stream = gzip ? source.on('error', error => stream.destroy(error)).pipe(createGunzip()) : source
  const decoder = new TextDecoder(encoding === 'latin-1' ? 'latin1' : encoding === 'utf-16' ? 'utf-16le' : encoding, { fatal: true })
  let text = ''
  let end: number | undefined
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (end === undefined) {
        text += decoder.decode(chunk, { stream: true })
        end = endOfLine(text)
        if (end === undefined && text.length > maxHeaderLength) throw new FatalError(`${path} is not CSV: its first line does not end`)
      }
      if (end !== undefined && !gzip) break
    }
  } catch (error) {
    throw asFault(error, path, encoding)
  } finally {
    source.destroy()
  }
  const newline = /^(\r\n?)/.exec(end === undefined ? '' : text.slice(end, end + 2))?.[1] as '\r\n' | '\r' | undefined
  return { line: text.slice(0, end), newline: newline ?? '\n' }
}

/** Where the first line ends that does not go on within quotes. */
function endOfLine (text: string): number | undefined {
  let isQuoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') isQuoted = !isQuoted
    else if (!isQuoted && (text[i] === '\n' || text[i] === '\r') && i + 1 < text.length) return i
  }
  return undefined
}

function asFault (error: unknown, path: string, encoding: string): Error {
  if (error instanceof FatalError) return error
  if (error instanceof TypeError) return new FatalError(`${path} is not CSV in ${encoding}: set input.encoding in the pipeline file if it is in another encoding`)
  const { code } = error as NodeJS.ErrnoException
  return new FatalError(code?.startsWith('Z_') === true ? `${path} cannot be decompressed: ${(error as Error).message}` : `${path} cannot be read: ${code}`)
}
