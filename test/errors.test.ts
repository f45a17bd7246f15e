import { STATUS_CODES } from 'node:http'
import { describe, expect, test } from 'vitest'
import { ApiError, type ErrorCode, FatalError, errorTable } from '../src/errors.ts'
import { problemType, toProblem } from '../src/schemas/problem.ts'

describe('the table of errors', () => {
  test.each(errorTable())('$code is a sound row', ({ code, status, title }) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(status >= 400 && status < 600).toBe(true)
    // 499 is nginx's, for a caller who will not read it.
    if (status !== 499) expect(STATUS_CODES[status]).toBeDefined()
    expect(title).toMatch(/^[A-Z][^.!]+$/)
  })

  test('tells every error apart by its type and by its title', () => {
    const table = errorTable()
    expect(new Set(table.map(({ code }) => problemType(code))).size).toBe(table.length)
    expect(new Set(table.map(({ title }) => title)).size).toBe(table.length)
  })

  test('has every status of the specification', () => {
    const statuses = new Set(errorTable().map(({ status }) => status))
    expect([...statuses]).toEqual(expect.arrayContaining([400, 401, 403, 404, 405, 406, 413, 415, 422, 429, 500, 503, 504]))
  })

  test('cannot be changed by who asks for it', () => {
    errorTable()[0]!.status = 200
    expect(errorTable()[0]!.status).toBe(400)
  })
})

describe('an ApiError', () => {
  test.each(errorTable())('of $code has its status and title from the table', ({ code, status, title }) => {
    expect(new ApiError(code, 'detail')).toMatchObject({ name: 'ApiError', message: 'detail', code, status, title, errors: undefined, headers: {} })
  })

  test('keeps what its thrower knows', () => {
    const cause = new Error('why')
    const errors = [{ path: '/plan', message: 'is required' }]
    const error = new ApiError('INVALID_INPUT', 'detail', { errors, headers: { 'retry-after': '1' }, cause })
    expect(error).toMatchObject({ errors, headers: { 'retry-after': '1' }, cause })
    expect(error).toBeInstanceOf(Error)
  })

  test('is told as a problem without its cause and its stack', () => {
    const cause = new Error('/srv/secret/path')
    const problem = toProblem(new ApiError('QUEUE_FULL', 'try again in 2 s', { cause }), '/predict?token=secret', 'id-1')
    expect(problem).toEqual({
      type: 'urn:modelport:error:queue-full',
      title: 'The queue is full',
      status: 503,
      detail: 'try again in 2 s',
      instance: '/predict',
      request_id: 'id-1',
    })
  })

  test('lists its faults in the problem', () => {
    const errors = [{ path: '/a', message: 'is required' }, { path: '/b', message: 'must be a number, not null' }]
    expect(toProblem(new ApiError('INVALID_INPUT', 'detail', { errors }), '/predict', 'id-1').errors).toEqual(errors)
  })
})

test.each<[code: ErrorCode, type: string]>([
  ['NOT_JSON', 'urn:modelport:error:not-json'],
  ['UNSUPPORTED_MEDIA_TYPE', 'urn:modelport:error:unsupported-media-type'],
  ['INTERNAL', 'urn:modelport:error:internal'],
])('%s has the type %s', (code, type) => {
  expect(problemType(code)).toBe(type)
})

test('a FatalError is told apart from what nobody expected', () => {
  const error = new FatalError('there is no such folder')
  expect(error).toMatchObject({ name: 'FatalError', message: 'there is no such folder' })
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(ApiError)
})
