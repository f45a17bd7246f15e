import { describe, expect, test } from 'vitest'
import { parseJson } from '../../src/artifact/json.ts'
import { type Feature, type Manifest, ManifestSchema, manifestFaults } from '../../src/artifact/manifest.ts'

const sha256 = 'a'.repeat(64)
const file = { sha256, bytes: 1 }

const flower: Manifest = {
  schemaVersion: 1,
  name: 'flower',
  version: '1.0.0',
  task: 'classification',
  files: { 'model.onnx': file, 'preprocessor.json': file, 'golden.json': file },
  features: [
    { name: 'length', type: 'number', unit: 'cm', description: 'of a petal', example: 5.1, minimum: 0, maximum: 30, range: [4.3, 7.9], required: true },
    { name: 'age', type: 'integer', required: false },
    { name: 'kind', type: 'string', enum: ['red', 'blue'], example: 'red' },
    { name: 'wild', type: 'boolean', example: true },
  ],
  labels: ['rose', 'violet'],
  outputs: { label: 'label', probabilities: 'probabilities' },
}

const line: Manifest = { schemaVersion: 1, name: 'line', version: '1', task: 'regression', files: { 'model.onnx': file }, features: [{ name: 'x', type: 'number' }], outputs: { value: 'y' } }
const bare: Manifest = { schemaVersion: 1, name: 'bare', version: '1', task: 'tensor', files: { 'model.onnx': file } }

function parse (value: unknown): Manifest {
  return parseJson(ManifestSchema, new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value)))
}

test.each([flower, line, bare])('a sound manifest has no fault: $task', manifest => {
  expect(manifestFaults(parse(manifest))).toEqual([])
})

test('what a team writes beside the known fields stays in it', () => {
  expect(parse({ ...flower, owner: 'pricing' })).toEqual({ ...flower, owner: 'pricing' })
})

describe('the shape is refused with its place', () => {
  test.each<[what: string, value: unknown, message: RegExp]>([
    ['no JSON', '{"schemaVersion": 1,', /^is not JSON: /],
    ['an empty file', '', /^is not JSON: /],
    ['a list', [], /object/],
    ['another schema', { ...flower, schemaVersion: 2 }, /^\/schemaVersion /],
    ['no name', { ...flower, name: undefined }, /name/],
    ['an unknown task', { ...flower, task: 'clustering' }, /^\/task /],
    ['no files', { ...flower, files: undefined }, /files/],
    ['a hash that is none', { ...flower, files: { 'model.onnx': { ...file, sha256: 'A'.repeat(64) } } }, /^\/files\/model\.onnx\/sha256 /],
    ['a size below 0', { ...flower, files: { 'model.onnx': { ...file, bytes: -1 } } }, /^\/files\/model\.onnx\/bytes /],
    ['no features in the list', { ...flower, features: [] }, /^\/features /],
    ['an unknown type', { ...flower, features: [{ name: 'x', type: 'float' }] }, /^\/features\/0\/type /],
    ['a feature\'s field misspelt', { ...flower, features: [{ name: 'x', type: 'number', minimun: 1 }] }, /^\/features\/0\/minimun /],
    ['a limit beyond every double', JSON.stringify({ ...flower, features: [{ name: 'x', type: 'number', maximum: 0 }] }).replace('"maximum":0', '"maximum":1e999'), /^\/features\/0\/maximum /],
    ['a range of one number', { ...flower, features: [{ name: 'x', type: 'number', range: [1] }] }, /^\/features\/0\/range /],
    ['no labels in the list', { ...flower, labels: [] }, /^\/labels /],
    ['an unknown output', { ...flower, outputs: { scores: 'y' } }, /^\/outputs\/scores /],
  ])('%s', (_what, value, message) => {
    expect(() => parse(value)).toThrow(message)
  })
})

describe('what the shape cannot say', () => {
  const nameRule = 'must be 1 to 64 characters from A-Z a-z 0-9 . _ -, the first a letter or digit'

  test.each<[what: string, different: Partial<Manifest>, faults: string[]]>([
    ['a path as a name', { name: '../flower' }, [`/name: ${nameRule}`]],
    ['a path as a version', { version: '1/2' }, [`/version: ${nameRule}`]],
    ['a path among the files', { files: { ...flower.files, '../secret': file } }, ['/files: "../secret" must be the name of a file in the version\'s own folder']],
    ['a folder among the files', { files: { ...flower.files, 'a/b.json': file } }, ['/files: "a/b.json" must be the name of a file in the version\'s own folder']],
    ['__proto__ among the files', { files: JSON.parse(`{"model.onnx": {}, "__proto__": {"sha256": "${sha256}", "bytes": 1}}`) }, ['/files: "__proto__" must be the name of a file in the version\'s own folder']],
    ['no model', { files: { 'golden.json': file } }, ['/files: must list model.onnx']],
    ['itself', { files: { ...flower.files, 'manifest.json': file } }, ['/files: manifest.json cannot hold its own hash; leave it out']],
    ['two preprocessors', { files: { ...flower.files, 'preprocessor.json': file, 'preprocessor.onnx': file } }, ['/files: preprocessor.json and preprocessor.onnx exclude each other']],
    ['no features', { features: undefined }, ['/features: is required for a classification']],
    ['no labels', { labels: undefined }, ['/labels: is required for a classification']],
    ['a label twice', { labels: ['rose', 'violet', 'rose'] }, ['/labels: "rose" occurs twice']],
    ['no outputs', { outputs: undefined }, ['/outputs: must name "label" or "probabilities" for a classification']],
    ['only a value', { outputs: { value: 'y' } }, ['/outputs: must name "label" or "probabilities" for a classification']],
    ['two faults at once', { name: '', labels: undefined }, [`/name: ${nameRule}`, '/labels: is required for a classification']],
  ])('%s', (_what, different, faults) => {
    expect(manifestFaults({ ...flower, ...different })).toEqual(faults)
  })

  test('a regression needs features and a value', () => {
    expect(manifestFaults({ ...line, features: undefined, outputs: { label: 'y' } })).toEqual([
      '/features: is required for a regression', '/outputs: must name "value" for a regression',
    ])
  })

  test('raw tensors have neither features nor what goes with them', () => {
    expect(manifestFaults({ ...bare, features: line.features, files: { ...bare.files, 'golden.json': file, 'preprocessor.json': file, 'baseline.json': file } })).toEqual([
      '/files: golden.json needs features, and the task "tensor" has none',
      '/files: preprocessor.json needs features, and the task "tensor" has none',
      '/files: baseline.json needs features, and the task "tensor" has none',
      '/features: are not for the task "tensor"',
    ])
  })

  test.each<[feature: Feature, fault: string]>([
    [{ name: 'features', type: 'number' }, '/features/0/name: "features" is reserved'],
    [{ name: 'instances', type: 'number' }, '/features/0/name: "instances" is reserved'],
    ...Object.getOwnPropertyNames(Object.prototype).map((name): [Feature, string] => [{ name, type: 'number' }, `/features/0/name: "${name}" is reserved`]),
    [{ name: 'x', type: 'number', minimum: 2, maximum: 1 }, '/features/0: minimum is above maximum'],
    [{ name: 'x', type: 'number', range: [7.9, 4.3] }, '/features/0/range: begins above its end'],
    [{ name: 'x', type: 'string', minimum: 2 }, '/features/0: minimum, maximum and range are for numbers, this is a string'],
    [{ name: 'x', type: 'boolean', range: [0, 1] }, '/features/0: minimum, maximum and range are for numbers, this is a boolean'],
    [{ name: 'x', type: 'number', enum: [1, '2'] }, '/features/0: "2" is not a number'],
    [{ name: 'x', type: 'string', enum: [1] }, '/features/0: 1 is not a string'],
    [{ name: 'x', type: 'boolean', enum: ['yes'] }, '/features/0: "yes" is not a boolean'],
    [{ name: 'x', type: 'integer', example: '5' }, '/features/0: "5" is not a integer'],
    [{ name: 'x', type: 'boolean', example: 1 }, '/features/0: 1 is not a boolean'],
  ])('of a feature: %j', (feature, fault) => {
    expect(manifestFaults({ ...line, features: [feature] })).toEqual([fault])
  })

  test('a feature twice', () => {
    expect(manifestFaults({ ...line, features: [{ name: 'x', type: 'number' }, { name: 'x', type: 'string' }] })).toEqual(['/features: "x" occurs twice'])
  })
})
