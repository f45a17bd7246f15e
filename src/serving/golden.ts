import { ArtifactError, type Reason } from '../artifact/artifact-error.ts'
import { type Golden, type GoldenRow, goldenTolerance } from '../artifact/golden.ts'
import { type Engine, RunError } from '../engine/engine.ts'
import type { Fault } from '../errors.ts'
import type { Filling } from '../preprocess/feed.ts'
import type { Answers } from './answers.ts'
import type { Tabular } from './tabular.ts'

/** How a version did with its golden rows. */
export interface GoldenReport {
  readonly rows: number
  /** The rows that the features refuse or that do not reproduce, in their order. */
  readonly faults: readonly GoldenFault[]
  /** Between a number of golden.json and the one that the model gives, tolerated or not. */
  readonly largestDeviation: number
}

export interface GoldenFault {
  readonly row: number
  readonly reason: Reason
  /** What is wrong with the row, by its place in golden.json; at least one. */
  readonly differences: readonly GoldenDifference[]
}

export interface GoldenDifference extends Fault {
  readonly expected?: number
  /** Undefined where the model gives no such number. */
  readonly given?: number | undefined
}

type Runner = Pick<Engine, 'run'>

/**
 * Runs the golden rows through the whole version, as a caller's rows would go.
 *
 * @throws ArtifactError GOLDEN_MISMATCH that names the row and both numbers, BAD_GOLDEN for a row that the features refuse,
 *         SIGNATURE_MISMATCH for answers that are not what the manifest says
 */
export async function checkGolden (golden: Golden | undefined, tabular: Tabular, engine: Runner): Promise<void> {
  if (golden === undefined) return await checkAnswers(tabular, engine)
  const { faults: [fault] } = await compareGolden(golden, tabular, engine)
  const [difference] = fault?.differences ?? []
  if (fault !== undefined && difference !== undefined) throw new ArtifactError(fault.reason, `golden.json: ${difference.path} ${difference.message}`)
}

/**
 * The same with all that is wrong instead of the first.
 *
 * @throws ArtifactError when the rows as a whole cannot be run
 */
export async function compareGolden (golden: Golden, tabular: Tabular, engine: Runner): Promise<GoldenReport> {
  const faults: GoldenFault[] = []
  const filling = tabular.feed.begin(golden.rows.length)
  const sound: { row: GoldenRow, index: number }[] = []
  golden.rows.forEach((row, index) => {
    const differences = encodeGolden(tabular, row, filling, sound.length).map(({ path, message }) => ({ path: `/rows/${index}/row${path}`, message }))
    if (differences.length > 0) faults.push({ row: index, reason: 'BAD_GOLDEN', differences })
    else sound.push({ row, index })
  })
  const answers = await run(tabular, filling, sound.length, engine)
  let largestDeviation = 0
  sound.forEach(({ row, index }, place) => {
    const { differences, deviation } = compareRow(row, `/rows/${index}`, answers, place)
    if (differences.length > 0) faults.push({ row: index, reason: 'GOLDEN_MISMATCH', differences })
    largestDeviation = Math.max(largestDeviation, deviation)
  })
  return { rows: golden.rows.length, faults: faults.sort((a, b) => a.row - b.row), largestDeviation }
}

async function run ({ readAnswers }: Tabular, filling: Filling, rows: number, engine: Runner): Promise<Answers> {
  if (rows === 0) return { predictions: new Float64Array(0), probabilities: undefined }
  const { outputs } = await engine.run({ inputs: filling.tensors(rows), rows }).catch((error: unknown) => {
    throw error instanceof RunError ? new ArtifactError('GOLDEN_MISMATCH', `golden.json: the model cannot run the rows: ${error.message}`, { cause: error }) : error
  })
  return readAnswers(outputs, rows)
}

/** Without golden rows, zeros show at least whether the answers have the right shape. */
async function checkAnswers ({ feed, readAnswers }: Tabular, engine: Runner): Promise<void> {
  try {
    const { outputs } = await engine.run({ inputs: feed.begin(1).tensors(1), rows: 1 })
    readAnswers(outputs, 1)
  } catch (error) {
    // Zeros are only a guess: the model may not take them.
    if (!(error instanceof RunError)) throw error
  }
}

/** @returns what the features refuse, paths relative to the row */
function encodeGolden ({ reader }: Tabular, golden: GoldenRow, filling: Filling, place: number): Fault[] {
  const faults: Fault[] = []
  const row = reader.read(golden.row, faults)
  if (faults.length === 0) {
    filling.write(row, place, (feature, message) => faults.push(reader.fault(golden.row, feature, message)))
  }
  return faults
}

function compareRow (row: GoldenRow, path: string, { predictions, probabilities }: Answers, place: number): { differences: GoldenDifference[], deviation: number } {
  const pairs: (readonly [path: string, expected: number, given: number | undefined])[] = [
    [`${path}/prediction`, row.prediction, predictions[place]],
    ...(row.probabilities ?? []).map((p, k) => [`${path}/probabilities/${k}`, p, probabilities?.[place]?.[k]] as const),
  ]
  const differences = pairs.filter(([, expected, given]) => !reproduces(expected, given))
    .map(([path, expected, given]) => ({ path, message: `is ${expected}, the model gives ${given}`, expected, given }))
  const deviation = pairs.reduce((largest, [, expected, given = expected]) => Math.max(largest, Math.abs(given - expected) || 0), 0)
  return { differences, deviation }
}

function reproduces (expected: number, given: number | undefined): boolean {
  const { relative, absolute } = goldenTolerance
  return given !== undefined && Math.abs(given - expected) <= absolute + relative * Math.abs(expected)
}
