import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { FatalError } from '../errors.ts'
import type { PredictInput } from '../schemas/decode.ts'
import { type Terminal, UsageError } from './verb.ts'

export interface InputFlags { readonly json: string | undefined, readonly csv: string | undefined }

/**
 * The rows that the flags name, or that are piped in.
 *
 * @returns undefined where a person is to be asked
 * @throws FatalError for what cannot be read or is not JSON, UsageError where nothing gives rows
 */
export async function readInput ({ json, csv }: InputFlags, terminal: Terminal): Promise<PredictInput | undefined> {
  if (csv !== undefined) return { type: 'csv', text: await readText('--csv', csv, terminal) }
  if (json !== undefined) {
    const isText = /^\s*[{[]/.test(json)
    return isText ? parseRows(json, '--json') : parseRows(await readText('--json', json, terminal), json === '-' ? 'stdin' : json)
  }
  if (terminal.in === undefined) throw new UsageError('nothing gives the rows: say --json or --csv')
  return terminal.in.isTerminal ? undefined : parseRows(await readStream(terminal), 'stdin')
}

/** A list of rows is as good as `{"instances": …}` here, where no envelope has to be told from a row. */
function parseRows (text: string, source: string): PredictInput {
  if (text.trim() === '') throw new FatalError(`${source} is empty: it must have rows as JSON, or say --csv`)
  try {
    const body: unknown = JSON.parse(text)
    return { type: 'json', body: Array.isArray(body) ? { instances: body } : body }
  } catch (error) {
    if (isLines(text)) return { type: 'ndjson', text }
    const hint = /^\s*[{[]/.test(text) ? '' : '; for CSV say --csv'
    throw new FatalError(`${source} is not valid JSON: ${(error as Error).message}${hint}`, { cause: error })
  }
}

/** Whole values line by line, of which the first can be read: a fault further down is then that row's. */
function isLines (text: string): boolean {
  const [first = '', second] = text.trim().split('\n', 2)
  try {
    JSON.parse(first)
    return second !== undefined
  } catch {
    return false
  }
}

async function readText (flag: string, file: string, terminal: Terminal): Promise<string> {
  if (file === '-') return await readStream(terminal)
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    const hint = flag === '--json' ? '; a text must begin with { or [' : ''
    throw new FatalError(`${flag}: the file ${JSON.stringify(file)} cannot be read (${error.code})${hint}`)
  })
  return decodeText(bytes, file)
}

async function readStream (terminal: Terminal): Promise<string> {
  if (terminal.in === undefined) throw new UsageError('there is no stdin to read from')
  return decodeText(await buffer(terminal.in.stream), 'stdin')
}

/** A file that a spreadsheet saved in another encoding would else reach the model as other words. */
function decodeText (bytes: Buffer, source: string): string {
  if (!isUtf8(bytes)) throw new FatalError(`${source} is not UTF-8: save it as UTF-8`)
  const text = bytes.toString()
  return text.startsWith('\uFEFF') ? text.slice(1) : text
}
