import { ArtifactError } from '../artifact/artifact-error.ts'
import { type Golden, type GoldenRow, goldenTolerance } from '../artifact/golden.ts'
import { type Engine, RunError } from '../engine/engine.ts'
import type { Fault } from '../errors.ts'
import type { Filling } from '../preprocess/feed.ts'
import type { Row } from '../row.ts'
import type { Tabular } from './tabular.ts'

/**
 * Runs the golden rows through the whole version, as a caller's rows would go.
 *
 * @throws ArtifactError GOLDEN_MISMATCH that names the row and both numbers, BAD_GOLDEN for a row that the features refuse,
 *         SIGNATURE_MISMATCH for answers that are not what the manifest says
 */
export async function checkGolden (golden: Golden | undefined, tabular: Tabular, engine: Pick<Engine, 'run'>): Promise<void> {
  if (golden === undefined) return await checkAnswers(tabular, engine)
  const { rows } = golden
  const filling = tabular.feed.begin(rows.length)
  rows.forEach((row, i) => encodeGolden(tabular, row, filling, i))
  const { outputs } = await engine.run({ inputs: filling.tensors(rows.length), rows: rows.length }).catch((error: unknown) => {
    throw error instanceof RunError ? new ArtifactError('GOLDEN_MISMATCH', `golden.json: the model cannot run the rows: ${error.message}`, { cause: error }) : error
  })
  const { predictions, probabilities } = tabular.readAnswers(outputs, rows.length)
  rows.forEach((row, i) => {
    compare(`/rows/${i}/prediction`, row.prediction, predictions[i])
    row.probabilities?.forEach((p, k) => compare(`/rows/${i}/probabilities/${k}`, p, probabilities?.[i]?.[k]))
  })
}

/** Without golden rows, zeros show at least whether the answers have the right shape. */
async function checkAnswers ({ feed, readAnswers }: Tabular, engine: Pick<Engine, 'run'>): Promise<void> {
  try {
    const { outputs } = await engine.run({ inputs: feed.begin(1).tensors(1), rows: 1 })
    readAnswers(outputs, 1)
  } catch (error) {
    // Zeros are only a guess: the model may not take them.
    if (!(error instanceof RunError)) throw error
  }
}

function encodeGolden ({ reader }: Tabular, golden: GoldenRow, filling: Filling, i: number): void {
  const faults: Fault[] = []
  const row: Row = reader.read(golden.row, faults)
  if (faults.length === 0) {
    filling.write(row, i, (feature, message) => faults.push(reader.fault(golden.row, feature, message)))
  }
  const [fault] = faults
  if (fault !== undefined) throw new ArtifactError('BAD_GOLDEN', `golden.json: /rows/${i}/row${fault.path} ${fault.message}`)
}

function compare (place: string, expected: number, actual: number | undefined): void {
  const { relative, absolute } = goldenTolerance
  if (actual !== undefined && Math.abs(actual - expected) <= absolute + relative * Math.abs(expected)) return
  throw new ArtifactError('GOLDEN_MISMATCH', `golden.json: ${place} is ${expected}, the model gives ${actual}`)
}
