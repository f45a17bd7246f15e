import type { TSchema } from 'typebox'
import { describe, expect, test } from 'vitest'
import { AliasesSchema } from '../../src/artifact/aliases.ts'
import { BaselineSchema } from '../../src/artifact/baseline.ts'
import { GoldenSchema } from '../../src/artifact/golden.ts'
import { parseJson } from '../../src/artifact/json.ts'
import { ManifestSchema } from '../../src/artifact/manifest.ts'
import { PreprocessorSchema } from '../../src/preprocess/spec.ts'

function parse (schema: TSchema, value: unknown): unknown {
  return parseJson(schema, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)))
}

function withStep (step: object): object {
  return { schemaVersion: 1, output: { name: 'X', type: 'float32' }, columns: [{ feature: 'a', steps: [] }, { feature: 'x', steps: [{ log1p: true }, step] }] }
}

const anyStep = 'must have impute or clip or log1p or standardize or minmax or bucketize or oneHot or ordinal'
const step = '/columns/1/steps/1'

describe('a file is told what is wrong with it, and of several forms the nearest', () => {
  test.each<[value: unknown, schema: TSchema, message: string]>([
    [withStep({ standardise: { mean: 1, scale: 2 } }), PreprocessorSchema, `${step}/standardise is not a known field; ${step} ${anyStep}`],
    [withStep({ standardize: { mean: 1 } }), PreprocessorSchema, `${step}/standardize must have scale`],
    [withStep({ standardize: { mean: 1, scale: '2' } }), PreprocessorSchema, `${step}/standardize/scale must be number`],
    [withStep({ standardize: { mean: 1, scale: 2, unit: 'cm' } }), PreprocessorSchema, `${step}/standardize/unit is not a known field`],
    [withStep({ ordinal: { categories: ['a'], unknown: 'ignore' } }), PreprocessorSchema, `${step}/ordinal/unknown must be number or "missing" or "error"`],
    [withStep({ oneHot: { categories: ['a', 'a'], unknown: 'ignore' } }), PreprocessorSchema, `${step}/oneHot/categories must not have duplicate items`],
    [withStep({ log1p: false }), PreprocessorSchema, `${step}/log1p must be true`],
    [withStep({}), PreprocessorSchema, `${step} ${anyStep}`],
    [{ ...withStep({ log1p: true }), output: { name: 'X', type: 'int64' } }, PreprocessorSchema, '/output/type must be "float32" or "float64"'],
    [{ schemaVersion: 1, rows: [{ row: { a: [1] }, prediction: 'x' }] }, GoldenSchema, '/rows/0/row/a must be number or string or boolean or null; /rows/0/prediction must be number'],
    [{ schemaVersion: 1, rows: 1, features: { a: { kind: 'number', edges: [1] } }, prediction: { kind: 'number', edges: [], counts: [1], missing: 0 } }, BaselineSchema, '/features/a must have counts, missing'],
    [{ production: 5 }, AliasesSchema, '/production must be string or object'],
    [{ canary: { version: '1', weight: 2 } }, AliasesSchema, '/canary/weight must be <= 1'],
    [{}, ManifestSchema, '/ must have schemaVersion, name, version, task, files'],
  ])('%j', (value, schema, message) => {
    expect(() => parse(schema, value)).toThrow(new Error(message))
  })

  test('with no more faults than help', () => {
    const rows = Array.from({ length: 1000 }, () => ({ row: {}, prediction: null }))
    expect(() => parse(GoldenSchema, { schemaVersion: 1, rows })).toThrow(/^(\/rows\/\d\/prediction must be number(; )?){5}$/)
  })
})

test.each([['half a file', '{"production":'], ['a comment', '{} // none'], ['nothing', '']])('%s is not JSON', (_what, text) => {
  expect(() => parse(AliasesSchema, text)).toThrow(/^is not JSON: /)
})
