import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Feature } from '../../src/artifact/manifest.ts'
import { compileCheck, rangeWarning } from '../../src/schemas/check-value.ts'

const number: Feature = { name: 'x', type: 'number' }
const limited: Feature = { ...number, minimum: -1, maximum: 30 }
const integer: Feature = { name: 'n', type: 'integer' }
const string: Feature = { name: 's', type: 'string' }
const plan: Feature = { ...string, enum: ['basic', 'pro'] }
const boolean: Feature = { name: 'b', type: 'boolean' }

describe('a value is allowed', () => {
  test.each<[feature: Feature, value: unknown]>([
    [number, 0], [number, -0], [number, -1.5], [number, 1e308], [number, 5e-324],
    [limited, -1], [limited, 30], [limited, 0.1],
    [integer, 3], [integer, -3], [integer, 3.0], [integer, 2 ** 60],
    [{ ...number, enum: [1, 2.5] }, 2.5], [{ ...integer, enum: [4, 6] }, 6],
    [string, ''], [string, 'any'], [plan, 'pro'],
    [boolean, true], [boolean, false],
    [{ ...number, required: true }, 1],
    [{ ...number, required: false }, null], [{ ...plan, required: false }, undefined], [{ ...boolean, required: false }, null],
  ])('%j %j', (feature, value) => {
    expect(compileCheck(feature)(value)).toBeUndefined()
  })
})

describe('a value is refused, and nothing is converted', () => {
  test.each<[feature: Feature, value: unknown, fault: string]>([
    [number, undefined, 'is required'],
    [number, null, 'is required and may not be null'],
    [{ ...number, required: true }, null, 'is required and may not be null'],
    [number, '7', 'must be a number, not a string'],
    [number, '', 'must be a number, not a string'],
    [number, true, 'must be a number, not a boolean'],
    [number, [7], 'must be a number, not a list'],
    [number, {}, 'must be a number, not an object'],
    [number, NaN, 'must be a finite number'],
    [number, Infinity, 'must be a finite number'],
    [number, JSON.parse('1e999'), 'must be a finite number'],
    [number, -Infinity, 'must be a finite number'],
    [limited, -1.0001, 'must be at least -1'],
    [limited, 30.0001, 'must be at most 30'],
    [integer, 3.5, 'must be a whole number, not 3.5'],
    [integer, '3', 'must be a number, not a string'],
    [{ ...integer, minimum: 0 }, -0.5, 'must be at least 0'],
    [{ ...integer, enum: [4, 6] }, 5, 'must be one of 4, 6'],
    [string, 7, 'must be a string, not a number'],
    [string, false, 'must be a string, not a boolean'],
    [string, null, 'is required and may not be null'],
    [string, ['basic'], 'must be a string, not a list'],
    [plan, 'Basic', 'must be one of basic, pro'],
    [plan, ' pro', 'must be one of basic, pro'],
    [plan, '', 'must be one of basic, pro'],
    [boolean, 0, 'must be true or false, not a number'],
    [boolean, 'true', 'must be true or false, not a string'],
    [boolean, {}, 'must be true or false, not an object'],
    // An optional value may be left out; one that is there still has to be right.
    [{ ...limited, required: false }, 31, 'must be at most 30'],
    [{ ...number, required: false }, NaN, 'must be a finite number'],
    [{ ...plan, required: false }, '', 'must be one of basic, pro'],
  ])('%j %j: %s', (feature, value, fault) => {
    expect(compileCheck(feature)(value)).toBe(fault)
  })
})

test('a number is allowed exactly within its limits', () => {
  fc.assert(fc.property(fc.double(), fc.double({ noNaN: true }), fc.double({ noNaN: true }), (value, minimum, maximum) => {
    const within = Number.isFinite(value) && value >= minimum && value <= maximum
    expect(compileCheck({ ...number, minimum, maximum })(value) === undefined).toBe(within)
  }))
})

test('any value of any feature is allowed or refused in words', () => {
  const features = fc.constantFrom(number, limited, integer, string, plan, boolean)
  fc.assert(fc.property(features, fc.boolean(), fc.anything(), (feature, required, value) => {
    const fault = compileCheck({ ...feature, required })(value)
    if (fault !== undefined) expect(fault).toMatch(/^(must|is) .+/)
    else if (value === null || value === undefined) expect(required).toBe(false)
    else expect(typeof value).toBe(feature.type === 'integer' ? 'number' : feature.type)
  }))
})

describe('the range of the training data', () => {
  const ranged: Feature = { ...number, range: [4.3, 7.9] }

  test.each([4.3, 5, 7.9])('%d is within it', value => {
    expect(rangeWarning(ranged, value)).toBeUndefined()
  })

  test.each([4.2, 8, -1e300])('%d is worth a warning', value => {
    expect(rangeWarning(ranged, value)).toBe(`${value} is outside the range of the training data, 4.3 to 7.9`)
  })

  test('says nothing of what is missing, and nothing where there is none', () => {
    expect(rangeWarning(ranged, null)).toBeUndefined()
    expect(rangeWarning(number, 1e300)).toBeUndefined()
  })
})
