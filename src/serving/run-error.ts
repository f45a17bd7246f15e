import { RunError } from '../engine/engine.ts'
import { ApiError } from '../errors.ts'

/** What the caller is told: values that the graph cannot run are the caller's, anything else is passed on. */
export function toCaller (error: unknown): unknown {
  if (!(error instanceof RunError)) return error
  return new ApiError('UNRUNNABLE_VALUES', `The model cannot run these values: ${shortReason(error.message)}`, { cause: error })
}

/** The runtime's own words, without the places in its source and the names of the graph's nodes. */
function shortReason (message: string): string {
  const [line = ''] = message.replace(/^[^]*?Status Message:\s*/, '').split('\n')
  const words = line.replaceAll(/(^|[\s"'(])\/[^\s"')]+/g, '$1').replaceAll(/\s+/g, ' ').trim()
  return words === '' ? 'the runtime gives no reason' : words.slice(0, 300)
}
