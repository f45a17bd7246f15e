import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FatalError } from '../errors.ts'
import type { Cell, Table } from './cell.ts'
import { readCsv } from './csv-table.ts'
import { CodedSeries } from './series.ts'
import type { DataSource } from './training-file.ts'

export type { Cell, Table }

/**
 * @param folder what relative paths and packages are looked for from
 * @param mayBeNumbers of which columns only the numbers matter, not how a CSV file writes them
 * @throws FatalError when the data is not there or not a table
 */
export async function loadTable (source: DataSource, folder: string, mayBeNumbers: (column: string) => boolean = () => false): Promise<Table> {
  if (!('package' in source)) return loadFile(resolve(folder, source.file), source.file, mayBeNumbers)
  const found = await findPackage(source.package, folder)
  if ('export' in source) return callPackage(source, found)
  return loadFile(join(found.folder, source.file), `${found.label} ${source.file}`, mayBeNumbers)
}

async function loadFile (path: string, source: string, mayBeNumbers: (column: string) => boolean): Promise<Table> {
  if (extname(path).toLowerCase() !== '.json') return readCsv(path, source, mayBeNumbers)
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    throw new FatalError(`${source} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  return { ...parseJsonRows(bytes, source), source, sha256: sha256(bytes) }
}

/** @param rows  a cell per column each */
function tableOf (columns: readonly string[], rows: readonly (readonly Cell[])[]): Pick<Table, 'columns' | 'rows' | 'cells'> {
  return { columns, rows: rows.length, cells: columns.map((_, i) => new CodedSeries(rows.map(row => row[i]!))) }
}

function parseJsonRows (bytes: Buffer, source: string): Pick<Table, 'columns' | 'rows' | 'cells'> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new FatalError(`${source} is not JSON: ${(error as Error).message}`)
  }
  if (!Array.isArray(value) || !value.every(isPlainObject)) throw new FatalError(`${source} must be a list of objects, one per row`)
  const columns = [...new Set(value.flatMap(Object.keys))]
  return tableOf(columns, value.map((row, i) => columns.map(column => asCell(row[column], source, i))))
}

async function callPackage (source: Extract<DataSource, { export: string }>, found: Package): Promise<Table> {
  const label = `${found.label} ${source.export}()`
  const exported = (await import(pathToFileURL(found.main).href) as Record<string, unknown>)[source.export]
  if (typeof exported !== 'function') throw new FatalError(`${found.label} exports no function "${source.export}"`)
  const rows: unknown = await exported()
  const width = source.columns.length
  if (!Array.isArray(rows) || !rows.every(row => Array.isArray(row) && row.length === width)) {
    throw new FatalError(`${label} must return a list of rows, each a list of ${width} values`)
  }
  return {
    ...tableOf(source.columns, rows.map((row: unknown[], i) => row.map(value => asCell(value, label, i)))),
    source: label,
    sha256: sha256(JSON.stringify(rows)),
  }
}

interface Package {
  readonly folder: string
  /** The file that importing the package loads. */
  readonly main: string
  /** name@version */
  readonly label: string
}

async function findPackage (name: string, folder: string): Promise<Package> {
  let main: string
  try {
    main = createRequire(join(resolve(folder), 'training.json')).resolve(name)
  } catch {
    throw new FatalError(`The package ${name} is not installed: npm install --save-dev ${name}`)
  }
  for (let parent = dirname(main); parent !== dirname(parent); parent = dirname(parent)) {
    const description = await readFile(join(parent, 'package.json'), 'utf8').catch(() => '{}')
    const { name: found, version } = JSON.parse(description) as { name?: string, version?: string }
    if (found === name) return { folder: parent, main, label: `${name}@${version}` }
  }
  throw new FatalError(`The package ${name} has no package.json`)
}

function asCell (value: unknown, source: string, row: number): Cell {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  throw new FatalError(`${source}, row ${row + 1}: ${JSON.stringify(value)} is neither text, number nor truth value`)
}

function isPlainObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function sha256 (data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex')
}
