import { expect, test } from 'vitest'
import { flowerOnnx } from '../helpers/models.ts'
import { registry, scored } from './registry.ts'

const yesterday = new Date(Date.now() - 30 * 3_600_000).toISOString()
const contents = {
  'flower/1.9.0': scored('1.9.0', { accuracy: 0.9, f1_macro: 0.8765432, confusion_matrix: [[1]] }, { createdAt: yesterday }),
  'flower/1.10.0': { ...scored('1.10.0'), 'golden.json': '{}' },
  'flower/1.2.0': { 'manifest.json': '{}' },
  'flower/aliases.json': '{"production": "1.9.0", "canary": {"version": "1.10.0", "weight": 0.1}}',
  'raw/1/model.onnx': flowerOnnx(),
}

test('models lists every version as the server sorts them', async () => {
  const { run } = await registry(contents)
  const { code, out, err } = await run('models')
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out.split('\n').map(line => line.split(/ {2,}/))).toEqual([
    ['name', 'version', 'stage', 'metrics', 'age', 'size', 'files'],
    ['flower', '1.2.0', '-', '-', '-', '-', 'BAD_MANIFEST'],
    ['flower', '1.9.0', 'production', 'accuracy 0.9, f1_macro 0.876543', '1 d', expect.stringMatching(/^\d+(\.\d)? (B|KiB)$/), 'ok'],
    ['flower', '1.10.0', 'canary, latest', '-', '-', '-', 'HASH_MISMATCH, BAD_GOLDEN'].map((cell, i) => i === 5 ? expect.any(String) as string : cell),
    ['raw', '1', 'latest', '-', '-', expect.any(String), 'ok'],
  ])
})

test('models --json, for machines', async () => {
  const { run } = await registry(contents)
  const versions = JSON.parse((await run('models', '--json')).out) as Record<string, unknown>[]
  expect(versions).toHaveLength(4)
  expect(versions[1]).toEqual({ name: 'flower', version: '1.9.0', stages: ['production'], task: 'classification', metrics: { accuracy: 0.9, f1_macro: 0.8765432 }, createdAt: yesterday, bytes: expect.any(Number), faults: [] })
  expect(versions[0]).toMatchObject({ version: '1.2.0', task: null, createdAt: null, bytes: null, faults: [{ reason: 'BAD_MANIFEST', message: expect.any(String) }] })
})

test('models of an empty repository, and with aliases that cannot be read', async () => {
  expect(await (await registry({ 'readme.txt': '' })).run('models')).toEqual({ code: 0, out: '', err: 'there is no version' })
  const { run } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/aliases.json': '{' })
  expect(await run('models')).toMatchObject({ code: 0, out: expect.stringContaining('1.0.0'), err: expect.stringMatching(/^warning: flower: aliases\.json: is not JSON/) })
})
