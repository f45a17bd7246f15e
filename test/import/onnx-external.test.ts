import { mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ExternalTensor } from '../../src/onnx/build.ts'
import { type Bench, bench } from '../cli/import-verb.ts'
import { startApp } from '../helpers/app.ts'
import { logits } from './onnx-graphs.ts'

let place: Bench

beforeEach(async () => {
  place = await bench()
  await mkdir(join(place.folder, 'export', 'parts'), { recursive: true })
})
afterEach(() => place.remove())

function outside (shape: number[], location: string, more: Record<string, string> = {}): ExternalTensor {
  return { type: 'float32', shape, external: { location, ...more } }
}

const weights = Buffer.from(Float32Array.of(1, 0, 0, 1, -1, -1, 0, 0, 0.5).buffer)

async function importExternal (bytes: Uint8Array) {
  await writeFile(join(place.folder, 'export', 'm.onnx'), bytes)
  return await place.run('import', '{}/export/m.onnx', '--name', 'm', '--version', '1', '--labels', 'a,b,c')
}

test('weights beside the model come along, under a name that a version\'s file may have', async () => {
  await writeFile(join(place.folder, 'export', 'parts', 'W weights'), weights.subarray(0, 24))
  await writeFile(join(place.folder, 'export', 'm.onnx.data'), Buffer.concat([Buffer.alloc(64), weights.subarray(24)]))
  const { code, err } = await importExternal(logits({ W: outside([3, 2], 'parts/W weights'), b: outside([3], 'm.onnx.data', { offset: '64', length: '12' }) }))
  expect({ code, err: err.split('\n').filter(line => !line.includes('scores') && !line.includes('f0')) }).toEqual({ code: 0, err: [] })
  const folder = join(place.models, 'm', '1')
  expect((await readdir(folder)).sort()).toEqual(['m.onnx.data', 'manifest.json', 'model.onnx', 'weights-1.bin'])
  expect(await readFile(join(folder, 'weights-1.bin'))).toEqual(weights.subarray(0, 24))

  const app = await startApp({}, { MODELS_DIR: place.models, AUTH: 'off' })
  expect((await app.post('/predict', { features: [0, 3] })).body).toMatchObject({ class_name: 'b' })
  expect((await app.post('/predict', { features: [-1, -1] })).body).toMatchObject({ class_name: 'c' })
  await app.close()
})

test.each<[string, ExternalTensor, RegExp]>([
  ['a file that is not there', outside([3, 2], 'gone.bin'), /m\.onnx: its weights are in the file gone\.bin, which is not there: put it beside the model/],
  ['a file that is too short', outside([3, 2], 'short.bin', { length: '24' }), /short\.bin has 8 bytes, and the model's weights reach to 24/],
  ['a claim beyond all files', outside([3, 2], 'short.bin', { offset: '9007199254740993' }), /short\.bin has 8 bytes, and the model's weights reach to/],
  ['a length that is no number', outside([3, 2], 'short.bin', { length: 'many' }), /short\.bin has 8 bytes, and the model's weights reach to NaN/],
  ['a file elsewhere', outside([3, 2], '../secret'), /looks for its weights in \.\.\/secret, outside of its own folder/],
  ['a link that leads elsewhere', outside([3, 2], 'link.bin'), /looks for its weights in link\.bin, outside of its own folder/],
  ['a folder', outside([3, 2], 'parts'), /in parts, and that is no file/],
  ['no location', { type: 'float32', shape: [3, 2], external: {} }, /the weights "W" are in another file, and the model does not say in which/],
])('%s is refused, and nothing is left behind', async (_, W, reason) => {
  await writeFile(join(place.folder, 'secret'), weights)
  await writeFile(join(place.folder, 'export', 'short.bin'), weights.subarray(0, 8))
  await symlink(join(place.folder, 'secret'), join(place.folder, 'export', 'link.bin'))
  const { code, err } = await importExternal(logits({ W }))
  expect(err).toMatch(reason)
  expect(code).toBe(1)
  expect(await readdir(place.folder)).not.toContain('models')
})
