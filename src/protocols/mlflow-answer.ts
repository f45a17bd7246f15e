import { ApiError } from '../errors.ts'
import type { Prediction } from '../schemas/answer-text.ts'
import { type Answered, type ClassName, outputsText } from './answered.ts'
import type { PredictMethod } from './mlflow.ts'

/**
 * What MLflow answers for a scikit-learn model: `{"predictions": […]}` with the class or the number of
 * each row, or its probabilities.
 *
 * @throws ApiError INVALID_INPUT for probabilities that the model does not give
 */
export function writeMlflow (answered: Answered, method: PredictMethod, className: ClassName): string {
  if (answered.kind === 'tensors') return `{"predictions":${outputsText(answered.outputs)}}`
  const { predictions } = answered
  return JSON.stringify({ predictions: predictions.map<unknown>(method === 'predict' ? className : probabilitiesOf) })
}

function probabilitiesOf (prediction: Prediction): readonly number[] {
  if ('probabilities' in prediction && prediction.probabilities !== undefined) return prediction.probabilities
  throw new ApiError('INVALID_INPUT', 'The model gives no probabilities.', { errors: [{ path: '/params/predict_method', message: 'must be predict' }] })
}
