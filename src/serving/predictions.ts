import type { Manifest } from '../artifact/manifest.ts'
import { ApiError } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import type { RowSource } from '../schemas/decode.ts'
import type { Answers } from './answers.ts'
import type { Batch } from './encode.ts'
import type { RowFaults } from './row-faults.ts'

/** What is wrong with a row whose answer is no number. */
export const noFiniteNumber = 'the model gives no finite number for this row'

/** Puts each answer, or each bad row's faults, into its row's place; an answer that is no number is a fault too. */
export function assemble ({ task, labels }: Manifest, source: RowSource, { places, faults }: Batch, answers: Answers): Prediction[] {
  const predictions = new Array<Prediction>(source.rows.length)
  places.forEach((place, i) => {
    const prediction = answers.predictions[i] ?? NaN
    const probabilities = answers.probabilities?.[i]
    if (!Number.isFinite(prediction) || probabilities?.every(Number.isFinite) === false) {
      faults.add(place, [{ path: '', message: noFiniteNumber }])
    } else if (task === 'regression') {
      predictions[place] = { prediction }
    } else {
      const className = labels?.[prediction] ?? ''
      predictions[place] = probabilities === undefined ? { prediction, class_name: className } : { prediction, class_name: className, probabilities }
    }
  })
  for (const [place, errors] of faults.listed) predictions[place] = { errors }
  return predictions
}

/** What a request is refused with whose rows do not fit the model. */
export function invalidInput (faults: RowFaults, source: RowSource): ApiError {
  const errors = faults.list()
  const more = faults.count > errors.length ? ` The first ${errors.length} are listed.` : ''
  const count = faults.count === 1 ? 'One value does' : `${faults.count} values do`
  const rows = source.single ? '' : ` in ${faults.listed.size} of ${source.rows.length} rows`
  return new ApiError(source.unreadable.size > 0 ? source.unreadableCode : 'INVALID_INPUT', `${count} not fit the model${rows}.${more}`, { errors })
}
