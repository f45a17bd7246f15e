import type { Feature, Manifest } from '../artifact/manifest.ts'
import type { ModelStore } from '../artifact/store.ts'
import { createEngineHost } from '../engine/engine.ts'
import { FatalError, type Fault } from '../errors.ts'
import type { Measured } from '../report/subject.ts'
import type { Row, Value } from '../row.ts'
import type { Answers } from '../serving/answers.ts'
import type { Model } from '../serving/model.ts'
import type { Tabular } from '../serving/tabular.ts'
import { readColumn } from '../training/columns.ts'
import { detailClasses, detailValues, measureClasses } from '../training/metrics-all.ts'
import { classificationMetrics, regressionMetrics } from '../training/metrics.ts'
import { type Importance, importanceOf, importanceRepeats, importanceRows, shuffledRows } from '../training/metrics-importance.ts'
import { listOf } from '../training/series.ts'
import { type Table, loadTable } from '../training/table.ts'
import { openAnswering } from './answering.ts'
import type { Terminal } from './verb.ts'

/** A table with the answers that would be right. */
export interface LabelledFile {
  readonly file: string
  /** Undefined: the manifest names the column. */
  readonly target: string | undefined
}

/** The same order whenever the same file is measured. */
const importanceSeed = 0
/** Rows that go into the model at once. */
const chunkRows = 10_000

/**
 * Runs the version over a file, as the server would run the rows, and measures what it says.
 *
 * @throws FatalError that names column and row of what does not fit
 */
export async function measureVersion (
  store: ModelStore, { name, version, task, training }: Manifest, { file, target: named }: LabelledFile, { err }: Terminal
): Promise<{ metrics: Record<string, unknown>, measured: Measured }> {
  if (task === 'tensor') throw new FatalError(`${name} ${version} has no features: --data is for models with features`)
  const inManifest = training?.['target']
  const target = named ?? (typeof inManifest === 'string' ? inManifest : undefined)
  if (target === undefined) throw new FatalError(`the manifest of ${name} ${version} does not name the target: say --target`)
  const table = await loadTable({ file }, '.')
  if (table.rows === 0) throw new FatalError(`${file} has no rows`)
  const host = createEngineHost({ threads: 1, log: { error: (_data, message) => { err(message) } } })
  try {
    const model = await openAnswering({ store, host, wanted: { name, version }, configuredDefault: undefined })
    const metrics = await measureRows(model, model.tabular!, table, target)
    return { metrics, measured: { file, sha256: table.sha256, rows: table.rows, target } }
  } finally {
    await host.close()
  }
}

async function measureRows (model: Model, tabular: Tabular, table: Table, target: string): Promise<Record<string, unknown>> {
  const { task, labels = [] } = model.manifest
  const rows = readRows(tabular, table)
  const answers = await answer(model, tabular, rows)
  if (task === 'regression') {
    const actual = readValues(table, target)
    const importance = await importanceFor(model, tabular, rows, ({ predictions }, chosen) => regressionMetrics(actual.filter((_, row) => chosen.has(row)), predictions).r2)
    return { ...regressionMetrics(actual, answers.predictions), ...detailValues(actual, answers.predictions), importance }
  }
  const actual = readClasses(table, target, labels)
  const probabilities = answers.probabilities?.flat()
  const importance = await importanceFor(model, tabular, rows, ({ predictions }, chosen) =>
    classificationMetrics(actual.filter((_, row) => chosen.has(row)), Int32Array.from(predictions), labels).accuracy)
  const predicted = Int32Array.from(answers.predictions)
  return { ...measureClasses(actual, predicted, labels, probabilities), ...detailClasses(actual, labels, probabilities), importance }
}

/** @throws FatalError for a required feature that is no column, and for the first value that the model would refuse */
function readRows ({ reader }: Tabular, table: Table): Row[] {
  const { features } = reader
  const absent = features.filter(({ name, required }) => required !== false && !table.columns.includes(name))
  if (absent.length > 0) {
    throw new FatalError(`${table.source} has no column ${absent.map(({ name }) => `"${name}"`).join(', ')}, which the model needs; it has ${table.columns.join(', ')}`)
  }
  const columns = features.map(feature => readFeature(table, feature))
  return Array.from({ length: table.rows }, (_, i) => {
    const faults: Fault[] = []
    const row = reader.read({ features: columns.map(values => values[i]!) }, faults)
    if (faults[0] !== undefined) throw new FatalError(`${table.source}, row ${i + 1}: ${faults[0].message}`)
    return row
  })
}

/** The cells as training would take them, but for texts, which stay as they are written. */
function readFeature (table: Table, { name, type }: Feature): Value[] {
  const at = table.columns.indexOf(name)
  if (at === -1) return new Array<null>(table.rows).fill(null)
  const values = listOf(readColumn(table, name, { type: type === 'string' ? 'category' : type }).values)
  return type === 'string' ? values.map((value, row) => value === null ? null : String(table.cells[at]!.at(row))) : values
}

function readClasses (table: Table, target: string, labels: readonly string[]): Int32Array {
  return Int32Array.from(targetCells(table, target), (value, row) => {
    const index = labels.indexOf(String(value))
    if (index === -1) throw new FatalError(`${table.source}, row ${row + 1}: "${target}" is ${JSON.stringify(value)}, which is none of the classes ${labels.join(', ')}`)
    return index
  })
}

function readValues (table: Table, target: string): Float64Array {
  return Float64Array.from(targetCells(table, target), (value, row) => {
    if (typeof value !== 'number') throw new FatalError(`${table.source}, row ${row + 1}: "${target}" is ${JSON.stringify(value)}, not a number`)
    return value
  })
}

function targetCells (table: Table, target: string): readonly Value[] {
  if (!table.columns.includes(target)) throw new FatalError(`${table.source} has no column "${target}", the target; it has ${table.columns.join(', ')}`)
  const values = listOf(readColumn(table, target).values)
  const missing = values.indexOf(null)
  if (missing >= 0) throw new FatalError(`${table.source}, row ${missing + 1}: "${target}" is missing; the report needs the right answer to every row`)
  return values
}

/** @throws FatalError for rows that the model gives no number for */
async function answer ({ engine }: Model, { feed, readAnswers }: Tabular, rows: readonly Row[]): Promise<Answers> {
  const predictions = new Float64Array(rows.length)
  const shares: (readonly number[])[] = []
  for (let start = 0; start < rows.length; start += chunkRows) {
    const chunk = rows.slice(start, start + chunkRows)
    const filling = feed.begin(chunk.length)
    chunk.forEach((row, i) => filling.write(row, i, (_feature, message) => { throw new FatalError(`row ${start + i + 1}: ${message}`) }))
    const { outputs } = await engine.run({ inputs: filling.tensors(chunk.length), rows: chunk.length })
    const found = readAnswers(outputs, chunk.length)
    predictions.set(found.predictions, start)
    for (const row of found.probabilities ?? []) shares.push(row)
  }
  const probabilities = shares.length === 0 ? undefined : shares
  const senseless = predictions.findIndex((value, row) => !Number.isFinite(value) || probabilities?.[row]?.every(Number.isFinite) === false)
  if (senseless >= 0) throw new FatalError(`row ${senseless + 1}: the model gives no finite number for this row`)
  return { predictions, probabilities }
}

async function importanceFor (
  model: Model, tabular: Tabular, all: readonly Row[], score: (answers: Answers, chosen: ReadonlySet<number>) => number
): Promise<Importance> {
  const chosen = new Set(importanceRows(all.length))
  const rows = all.filter((_, row) => chosen.has(row))
  const scoreOf = async (asked: readonly Row[]): Promise<number> => score(await answer(model, tabular, asked), chosen)
  const names = tabular.reader.features.map(({ name }) => name)
  const scores: number[][] = []
  for (const feature of names.keys()) {
    const found: number[] = []
    for (let repeat = 0; repeat < importanceRepeats; repeat++) {
      const order = shuffledRows(rows.length, importanceSeed, feature, repeat)
      found.push(await scoreOf(rows.map((row, i) => row.with(feature, rows[order[i]!]![feature]!))))
    }
    scores.push(found)
  }
  return importanceOf(model.manifest.task === 'regression' ? 'r2' : 'accuracy', rows.length, names, await scoreOf(rows), scores)
}
