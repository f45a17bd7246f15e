import { expect } from 'vitest'
import { type ErrorCode, errorTable } from '../../src/errors.ts'
import type { Answer } from '../helpers/app.ts'

/** Looks at the whole of a problem+json answer; what the case does not name may be any text. */
export function expectProblem (answer: Answer, code: ErrorCode, { detail = expect.any(String), instance = expect.any(String), errors }: { detail?: unknown, instance?: unknown, errors?: unknown } = {}): void {
  const { status, title } = errorTable().find(row => row.code === code) ?? {}
  expect(answer.body).toEqual({
    type: `urn:modelport:error:${code.toLowerCase().replaceAll('_', '-')}`,
    title,
    status,
    detail,
    instance,
    request_id: answer.headers.get('x-request-id'),
    ...(errors === undefined ? {} : { errors }),
  })
  expect(answer.status).toBe(status)
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answer.headers.get('x-request-id')).toMatch(/^[A-Za-z0-9._:/+=-]{1,128}$/)
  expectSecurityHeaders(answer.headers)
}

export function expectSecurityHeaders (headers: Headers): void {
  expect(headers.get('x-content-type-options')).toBe('nosniff')
  expect(headers.get('content-security-policy')).toContain('frame-ancestors')
  expect(headers.get('referrer-policy')).toBe('no-referrer')
  expect(headers.get('x-powered-by')).toBeNull()
}
