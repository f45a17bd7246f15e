import { ApiError, type ErrorCode, type Fault } from '../errors.ts'
import { maxListedFaults } from '../schemas/faults.ts'

/** What is wrong with one body. All of it is counted, and listed as far as a person reads. */
export class Faults {
  readonly #listed: Fault[] = []
  #count = 0

  /** @param path JSON pointer into the caller's body */
  add (path: string, message: string): void {
    this.#count++
    if (this.#listed.length < maxListedFaults) this.#listed.push({ path, message })
  }

  /** @throws ApiError when anything was added */
  refuse (code: ErrorCode, detail: string): void {
    if (this.#count === 0) return
    const more = this.#count > this.#listed.length ? ` The first ${this.#listed.length} of ${this.#count} faults are listed.` : ''
    throw new ApiError(code, detail + more, { errors: this.#listed })
  }
}

/** A body of the wrong shape, at one place. */
export function wrongShape (path: string, message: string): ApiError {
  return new ApiError('BAD_ENVELOPE', 'The body does not have the shape that this model and protocol take.', { errors: [{ path, message }] })
}

/** RFC 6901. */
export function escapePointer (key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}

export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
