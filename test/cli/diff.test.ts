import { describe, expect, test } from 'vitest'
import { flowerFeatures, flowerFiles, flowerPreprocessor, withManifest } from '../helpers/models.ts'
import { registry, scored } from './registry.ts'

const [length, kind, age] = flowerFeatures
const { 'manifest.json': _, ...files } = flowerFiles()
const [lengthColumn, ...columns] = flowerPreprocessor.columns

const contents = {
  'flower/1.0.0': scored('1.0.0', { accuracy: 0.9, confusion_matrix: [[1]], cv: { accuracy: { mean: 0.8 } } }),
  'flower/2.0.0': withManifest({ ...files, 'preprocessor.json': { ...flowerPreprocessor, columns: [{ ...lengthColumn, steps: [{ standardize: { mean: 6, scale: 2 } }] }, ...columns] } }, {
    version: '2.0.0', metrics: { accuracy: 0.95, log_loss: 0.1 }, labels: ['rose', 'lily'], features: [kind!, { ...length!, maximum: 20 }, { name: 'weight', type: 'number' }],
  }),
}

describe('diff', () => {
  test('tells schema, answers, preprocessing, metrics and files', async () => {
    const { run } = await registry(contents)
    const { code, out, err } = await run('diff', 'flower@1.0.0', '2.0.0')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.replaceAll(/\d+ B \([0-9a-f]{12}\)/g, '…').split('\n')).toEqual([
      'flower 1.0.0 → flower 2.0.0',
      '', 'features', '  + weight', '  - age', '  ~ length.maximum: 30 → 20', '  ~ their order: rows sent as arrays mean something else',
      '', 'answers', '  ~ labels: ["rose","violet"] → ["rose","lily"]',
      '', 'preprocessor.json', '  ~ column length.steps: [{"standardize":{"mean":5,"scale":2}}] → [{"standardize":{"mean":6,"scale":2}}]',
      '', 'metrics', '  accuracy          0.9  0.95  +0.05', '  cv.accuracy.mean  0.8  -', '  log_loss          -    0.1',
      '', 'files', '  preprocessor.json  …  →  …',
    ])
  })

  test('--json has all of it', async () => {
    const { run } = await registry(contents)
    const found = JSON.parse((await run('diff', 'flower@1.0.0', 'flower@2.0.0', '--json')).out) as Record<string, unknown>
    expect(found).toMatchObject({
      a: { name: 'flower', version: '1.0.0' },
      b: { name: 'flower', version: '2.0.0' },
      task: [],
      features: { added: ['weight'], removed: [age!.name], changed: [{ path: 'length.maximum', a: 30, b: 20 }], reordered: true },
      outputs: [],
      metrics: [{ metric: 'accuracy', a: 0.9, b: 0.95, difference: 0.05 }, { metric: 'cv.accuracy.mean', a: 0.8 }, { metric: 'log_loss', b: 0.1 }],
    })
    expect((found['files'] as { file: string, same: boolean }[]).map(({ file, same }) => [file, same])).toEqual([['model.onnx', true], ['preprocessor.json', false], ['golden.json', true]])
  })

  test('of two versions with the same files says so', async () => {
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/2.0.0': scored('2.0.0') })
    expect((await run('diff', 'flower@1.0.0', '2.0.0')).out).toBe('flower 1.0.0 → flower 2.0.0\n\ntheir files are the same')
  })

  test.each<[args: string[], code: number, message: string]>([
    [['flower@1.0.0'], 2, 'two versions are needed'],
    [['flower', '2.0.0'], 2, 'say which version'],
    [['flower@1.0.0', '2.0.0', '3'], 2, 'an argument too many'],
    [['flower@1.0.0', '9'], 1, 'flower has no version "9"'],
    [['flower@1.0.0', 'rose@1'], 1, 'there is no model "rose"'],
    [['flower@1.0.0', '0.1.0'], 1, 'flower 0.1.0: manifest.json: '],
  ])('%j exits %d', async (args, code, message) => {
    const { run } = await registry({ ...contents, 'flower/0.1.0': { 'manifest.json': '{}' } })
    expect(await run('diff', ...args)).toMatchObject({ code, out: '', err: expect.stringContaining(message) })
  })
})
