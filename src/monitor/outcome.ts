import { ApiError } from '../errors.ts'

/** How a request that reached a version ended; `partial`: some of its rows were wrong, the others predicted. */
export const outcomes = ['ok', 'partial', 'invalid', 'timeout', 'overloaded', 'cancelled', 'error'] as const
export type Outcome = typeof outcomes[number]

/** The outcome of a request that ended in an error. An AbortError means that the caller left. */
export function outcomeOf (error: unknown): Outcome {
  if (error instanceof ApiError) {
    if (error.code === 'CALLER_LEFT') return 'cancelled'
    if (error.status === 504) return 'timeout'
    if (error.status === 503) return 'overloaded'
    return error.status < 500 ? 'invalid' : 'error'
  }
  return error instanceof Error && error.name === 'AbortError' ? 'cancelled' : 'error'
}
