import type { Feature } from '../artifact/manifest.ts'
import type { Value } from '../row.ts'

/** The fault of a value that stands for this feature, undefined for none; the text follows the feature's name. */
export type CheckValue = (value: unknown) => string | undefined

/**
 * Compiles one feature's limits. The checks are strict: nothing is converted, so "7" is no number,
 * true is not 1 and null is not 0. `undefined` is a value that is not there.
 */
export function compileCheck (feature: Feature): CheckValue {
  const checkPresent = presentCheck(feature)
  const required = feature.required !== false
  const check: CheckValue = value => {
    if (value === undefined || value === null) {
      if (!required) return undefined
      return value === null ? 'is required and may not be null' : 'is required'
    }
    return checkPresent(value)
  }
  return feature.type === 'number' && feature.enum === undefined ? quickly(feature, check) : check
}

/** Most values are sound numbers, and two comparisons say so; `check` finds the words for the others. */
function quickly ({ minimum = -Number.MAX_VALUE, maximum = Number.MAX_VALUE }: Feature, check: CheckValue): CheckValue {
  return value => typeof value === 'number' && value >= minimum && value <= maximum ? undefined : check(value)
}

/** The warning about a value that the limits allow and the training data did not have. */
export function rangeWarning ({ range }: Feature, value: Value): string | undefined {
  if (range === undefined || typeof value !== 'number' || (value >= range[0] && value <= range[1])) return undefined
  return `${value} is outside the range of the training data, ${range[0]} to ${range[1]}`
}

function presentCheck (feature: Feature): CheckValue {
  const oneOf = enumCheck(feature)
  switch (feature.type) {
    case 'number': return numberCheck(feature, oneOf)
    case 'integer': {
      const check = numberCheck(feature, oneOf)
      return value => check(value) ?? (Number.isInteger(value) ? undefined : `must be a whole number, not ${value as number}`)
    }
    case 'string': return value => typeof value === 'string' ? oneOf(value) : `must be a string, not ${nameOf(value)}`
    case 'boolean': return value => typeof value === 'boolean' ? undefined : `must be true or false, not ${nameOf(value)}`
    default: return feature.type satisfies never
  }
}

function numberCheck ({ minimum = -Infinity, maximum = Infinity }: Feature, oneOf: CheckValue): CheckValue {
  return value => {
    if (typeof value !== 'number') return `must be a number, not ${nameOf(value)}`
    if (!Number.isFinite(value)) return 'must be a finite number'
    if (value < minimum) return `must be at least ${minimum}`
    if (value > maximum) return `must be at most ${maximum}`
    return oneOf(value)
  }
}

function enumCheck (feature: Feature): CheckValue {
  if (feature.enum === undefined) return () => undefined
  const allowed = new Set<unknown>(feature.enum)
  const fault = `must be one of ${feature.enum.join(', ')}`
  return value => allowed.has(value) ? undefined : fault
}

function nameOf (value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`
}
