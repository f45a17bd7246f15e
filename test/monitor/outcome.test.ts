import { expect, test } from 'vitest'
import { ApiError } from '../../src/errors.ts'
import { outcomeOf } from '../../src/monitor/outcome.ts'

test.each([
  ['invalid', new ApiError('INVALID_INPUT', '')],
  ['invalid', new ApiError('TOO_MANY_ROWS', '')],
  ['timeout', new ApiError('INFERENCE_TIMEOUT', '')],
  ['overloaded', new ApiError('QUEUE_FULL', '')],
  ['overloaded', new ApiError('DRAINING', '')],
  ['error', new ApiError('INTERNAL', '')],
  ['error', new TypeError('a fault of ours')],
  ['error', 'thrown text'],
  ['cancelled', new DOMException('The caller left', 'AbortError')],
])('the outcome is %s after %s', (outcome, error) => {
  expect(outcomeOf(error)).toBe(outcome)
})
