import type { ApiError } from '../errors.ts'
import { maxListedFaults } from './faults.ts'
import { toProblem } from './problem.ts'

/** In whose words a route tells its errors: our own, or those that a protocol's clients know how to read. */
export type ErrorShape = 'problem' | 'oip' | 'mlflow' | 'tfserving' | 'vertex'

export interface ErrorText { readonly contentType: string, readonly text: string }

const json = 'application/json; charset=utf-8'

/** @param url as the caller wrote it */
export function writeError (shape: ErrorShape, error: ApiError, url: string, requestId: string): ErrorText {
  switch (shape) {
    case 'problem': return { contentType: 'application/problem+json; charset=utf-8', text: JSON.stringify(toProblem(error, url, requestId)) }
    case 'oip':
    case 'tfserving': return { contentType: json, text: JSON.stringify({ error: inOneText(error) }) }
    case 'mlflow': return { contentType: json, text: JSON.stringify({ error_code: mlflowCode(error.status), message: inOneText(error) }) }
    case 'vertex': return { contentType: json, text: JSON.stringify({ error: { code: error.status, message: inOneText(error), status: googleStatus(error.status) } }) }
    default: return shape satisfies never
  }
}

const prefixes: readonly (readonly [RegExp, ErrorShape])[] = [
  [/^\/v2(\/|$)/, 'oip'],
  [/^\/v1(\/|$)/, 'tfserving'],
  [/^\/invocations(\/|$)/, 'mlflow'],
]

/** For an address that no route answers: its caller speaks what it was meant for. */
export function shapeOfPath (url: string): ErrorShape {
  return prefixes.find(([prefix]) => prefix.test(url.split('?', 1)[0] ?? ''))?.[1] ?? 'problem'
}

/** These shapes have one text only, so every fault has to stand in it. */
function inOneText ({ message, errors = [] }: ApiError): string {
  if (errors.length === 0) return message
  const listed = errors.slice(0, maxListedFaults).map(({ path, message: fault }) => path === '' ? fault : `${path} ${fault}`)
  return `${message} ${listed.join('; ')}`
}

function mlflowCode (status: number): string {
  switch (status) {
    case 401: return 'UNAUTHENTICATED'
    case 403: return 'PERMISSION_DENIED'
    case 404: return 'RESOURCE_DOES_NOT_EXIST'
    case 422: return 'INVALID_PARAMETER_VALUE'
    case 429: return 'REQUEST_LIMIT_EXCEEDED'
    case 503: return 'TEMPORARILY_UNAVAILABLE'
    default: return status < 500 ? 'BAD_REQUEST' : 'INTERNAL_ERROR'
  }
}

/** The names of google.rpc.Code. */
function googleStatus (status: number): string {
  switch (status) {
    case 401: return 'UNAUTHENTICATED'
    case 403: return 'PERMISSION_DENIED'
    case 404: return 'NOT_FOUND'
    case 429: return 'RESOURCE_EXHAUSTED'
    case 503: return 'UNAVAILABLE'
    case 504: return 'DEADLINE_EXCEEDED'
    default: return status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'
  }
}
