import type { GoldenRow } from '../artifact/golden.ts'
import type { Artifact } from '../artifact/read.ts'
import { type EngineHost, RunError } from '../engine/engine.ts'
import { FatalError, type Fault } from '../errors.ts'
import { openModel } from '../serving/model.ts'
import type { Tabular } from '../serving/tabular.ts'
import type { ExpectedRow } from './golden.ts'

/**
 * Completes golden rows with the model's own answers, where nobody says what to expect.
 *
 * @throws FatalError that names the first row which does not fit the features, or which the model does not run
 */
export async function answerRows (artifact: Artifact, expected: readonly ExpectedRow[], host: EngineHost): Promise<{ rows: GoldenRow[], filled: number }> {
  const model = await openModel(artifact, host, performance.now())
  try {
    if (model.tabular === undefined) throw new FatalError('golden rows need features, and the model is served as raw tensors: give --features and --task')
    const filling = model.tabular.feed.begin(expected.length)
    expected.forEach(({ row }, i) => { write(model.tabular!, row, filling, i) })
    const { outputs } = await model.engine.run({ inputs: filling.tensors(expected.length), rows: expected.length })
    const { predictions, probabilities } = model.tabular.readAnswers(outputs, expected.length)
    const rows = expected.map(({ row, prediction, probabilities: given }, i): GoldenRow => {
      const own = prediction === undefined ? probabilities?.[i] : undefined
      const known = given ?? own
      return { row: { ...row }, prediction: prediction ?? predictions[i]!, ...(known === undefined ? {} : { probabilities: [...known] }) }
    })
    const odd = rows.findIndex(({ prediction }) => !Number.isFinite(prediction))
    if (odd >= 0) throw new FatalError(`the model gives no finite number for golden row ${odd + 1}`)
    return { rows, filled: expected.filter(({ prediction, probabilities }) => prediction === undefined && probabilities === undefined).length }
  } catch (error) {
    throw error instanceof RunError ? new FatalError(`the model cannot run the golden rows: ${error.message}`, { cause: error }) : error
  } finally {
    await model.engine.close()
  }
}

function write ({ reader }: Tabular, row: ExpectedRow['row'], filling: ReturnType<Tabular['feed']['begin']>, i: number): void {
  const faults: Fault[] = []
  const values = reader.read(row, faults)
  if (faults.length === 0) filling.write(values, i, (feature, message) => faults.push(reader.fault(row, feature, message)))
  const [fault] = faults
  if (fault !== undefined) throw new FatalError(`golden row ${i + 1}${fault.path === '' ? '' : `, ${fault.path.slice(1)}`}: ${fault.message}`)
}
