import type { Histogram } from '../artifact/baseline.ts'
import { type Feature, manifestFaults } from '../artifact/manifest.ts'
import { FatalError } from '../errors.ts'
import { compilePreprocessor } from '../preprocess/compile.ts'
import type { Preprocessor } from '../preprocess/spec.ts'
import type { Value } from '../row.ts'
import { featureHistogram } from './baseline.ts'
import { mayBeNumbers } from './columns.ts'
import { inputName, outputNames } from './export.ts'
import { type Features, readFeatures } from './features.ts'
import { chooseSamples, type Sample } from './golden.ts'
import { tellsTarget } from './leakage.ts'
import type { Matrix, Target } from './matrix.ts'
import type { Series } from './series.ts'
import { loadTable, type Table } from './table.ts'
import { readTarget } from './target.ts'
import type { TrainingPlan } from './training-file.ts'
import { versionOf } from './version-files.ts'

/** What training needs of the data. The cells are not among it: they take twice the memory that the matrix takes. */
export interface Prepared {
  readonly data: Pick<Table, 'source' | 'sha256' | 'rows'>
  readonly features: readonly Feature[]
  readonly preprocessor: Preprocessor
  readonly matrix: Matrix
  readonly target: Target
  /** Empty for values. */
  readonly labels: readonly string[]
  /** Of each feature's values. */
  readonly histograms: readonly Histogram[]
  readonly samples: readonly Sample[]
  /** What the user did not ask for and should know. */
  readonly notices: readonly string[]
}

/**
 * @param folder what the paths in the plan are relative to
 * @param folds  that each class must have rows for
 * @throws FatalError when the data does not fit the plan
 */
export async function prepareData (plan: TrainingPlan, folder: string, folds: number): Promise<Prepared> {
  const loaded = await loadTable(plan.data, folder, column => mayBeNumbers(plan.columns?.[column]))
  const { table, target, labels, droppedRows } = readTarget(loaded, plan)
  const read = readFeatures(table, plan)
  const { features, columns, values } = read
  checkServable(plan, features)
  checkClasses(plan, target, labels, folds)
  const preprocessor: Preprocessor = { schemaVersion: 1, output: { name: inputName, type: 'float32' }, columns: [...columns] }
  const dropped = droppedRows === 0 ? [] : [`${droppedRows} rows without "${plan.target.column}" are left out`]
  return {
    data: { source: table.source, sha256: table.sha256, rows: table.rows },
    features,
    preprocessor,
    target,
    labels,
    histograms: features.map((feature, i) => featureHistogram(feature, values[i]!)),
    samples: chooseSamples(values, target),
    notices: [...read.notices, ...leaks(plan, read, target), ...dropped],
    // The last to look at the values: it gives them back as it goes.
    matrix: encodeRows(preprocessor, features, values, table.cells),
  }
}

/** With fewer rows, there would be folds in which the class is not learned, or not measured. */
function checkClasses ({ target: { column } }: TrainingPlan, target: Target, labels: readonly string[], folds: number): void {
  if (target.kind === 'values') return
  const counts = labels.map((_, k) => target.classes.filter(value => value === k).length)
  const few = counts.findIndex(count => count < folds)
  if (few < 0) return
  throw new FatalError(`"${column}" is "${labels[few]}" in ${counts[few]} of ${target.classes.length} rows: at least ${folds} are needed. Leave those rows out` +
    (folds > 2 ? ', or have fewer folds (cv)' : ''))
}

function leaks (plan: TrainingPlan, { sources, values }: Features, target: Target): string[] {
  return sources
    .filter((_, i) => tellsTarget(values[i]!, target))
    .map(source => `the column "${source}" alone tells "${plan.target.column}" in every row: drop it if callers cannot know it beforehand`)
}

/** Names and limits that the server would refuse are refused before the work, not after it. */
function checkServable (plan: TrainingPlan, features: readonly Feature[]): void {
  const faults = manifestFaults({
    schemaVersion: 1,
    name: plan.name,
    version: versionOf(plan),
    task: 'regression',
    outputs: { value: outputNames.value },
    files: { 'model.onnx': { sha256: '', bytes: 0 } },
    features: [...features],
  })
  if (faults.length > 0) throw new FatalError(`This training would make a manifest that cannot be served: ${faults.join('; ')}`)
}

/** So many rows are encoded before their cells are given back. */
const blockLength = 2 ** 16

/**
 * Through the same code that encodes requests.
 *
 * @param cells  what the values may be made from; given back with them
 */
function encodeRows (preprocessor: Preprocessor, features: readonly Feature[], values: readonly Series<Value>[], cells: readonly Series<unknown>[]): Matrix {
  const encoder = compilePreprocessor(preprocessor, features)
  const rows = values[0]!.length
  const data = new Float32Array(rows * encoder.width)
  const row: Value[] = values.map(() => null)
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < values.length; k++) row[k] = values[k]!.at(i)
    encoder.write(row, data, i * encoder.width, (feature, message) => {
      throw new FatalError(`Row ${i + 1}, ${features[feature]?.name}: ${message}`)
    })
    if ((i + 1) % blockLength === 0 || i + 1 === rows) for (const series of [...values, ...cells]) series.release?.(i + 1)
  }
  return { data, rows, columns: encoder.width }
}
