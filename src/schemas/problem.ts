import Type, { type Static } from 'typebox'
import type { ApiError } from '../errors.ts'

const FaultSchema = Type.Object({
  path: Type.String({ description: 'JSON pointer to the value; empty for the whole body' }),
  message: Type.String(),
})

/** RFC 9457, with the request's id and, for input, every fault. */
export const ProblemSchema = Type.Object({
  type: Type.String({ description: 'A URN that names the kind of problem' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  instance: Type.String({ description: 'The path of the request' }),
  request_id: Type.String(),
  errors: Type.Optional(Type.Array(FaultSchema)),
})

export type Problem = Static<typeof ProblemSchema>

/** @param url as the caller wrote it; its query is left out */
export function toProblem (error: ApiError, url: string, requestId: string): Problem {
  return {
    type: problemType(error.code),
    title: error.title,
    status: error.status,
    detail: error.message,
    instance: url.split('?', 1)[0] ?? '',
    request_id: requestId,
    ...(error.errors === undefined ? {} : { errors: [...error.errors] }),
  }
}

/** `NOT_JSON` is `urn:modelport:error:not-json`. */
export function problemType (code: string): string {
  return `urn:modelport:error:${code.toLowerCase().replaceAll('_', '-')}`
}
