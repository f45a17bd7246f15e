import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type TestApp, startApp } from '../helpers/app.ts'
import { type Files, flowerFiles, flowerOnnx, regressionFiles, repository } from '../helpers/models.ts'

/** The service over what stands in a folder. */
async function serving (contents: Record<string, Files | string>): Promise<TestApp> {
  const { path, remove } = await repository(contents)
  onTestFinished(remove)
  const server = await startApp({}, { MODELS_DIR: path })
  onTestFinished(() => server.close())
  return server
}

async function versions (server: TestApp): Promise<unknown> {
  const { models } = (await server.get('/models')).body as { models: { name: string, serving: string, versions: { version: string }[] }[] }
  return models.map(({ name, serving, versions }) => ({ name, serving, versions: versions.map(({ version }) => version) }))
}

test('a folder with the files of one version serves that version, as its manifest calls it', async () => {
  const server = await serving({ '': flowerFiles('rose', '2.0.0') })
  expect(await versions(server)).toEqual([{ name: 'rose', serving: '2.0.0', versions: ['2.0.0'] }])
  expect((await server.post('/predict', { length: 6, kind: 'red' })).body.class_name).toBe('rose')
})

test('a model.onnx alone is model 1, of tensors', async () => {
  expect(await versions(await serving({ '': { 'model.onnx': flowerOnnx() } }))).toEqual([{ name: 'model', serving: '1', versions: ['1'] }])
})

test('folders beside the files of a version are none of its models', async () => {
  const server = await serving({ '': flowerFiles('rose', '2.0.0'), 'code/1.0.0': regressionFiles('code') })
  expect(await versions(server)).toEqual([{ name: 'rose', serving: '2.0.0', versions: ['2.0.0'] }])
})

test('a folder without them is a repository', async () => {
  const server = await serving({ 'line/1.0.0': regressionFiles(), 'readme.txt': 'models' })
  expect(await versions(server)).toEqual([{ name: 'line', serving: '1.0.0', versions: ['1.0.0'] }])
})

test.each<[name: string, files: Files, message: RegExp]>([
  ['a manifest that is no JSON', { 'manifest.json': '{', 'model.onnx': flowerOnnx() }, /BAD_MANIFEST: manifest\.json: is not JSON/],
  ['a manifest whose name cannot be one', flowerFiles('../rose'), /BAD_MANIFEST: .*\/name/],
  ['another model than the manifest lists', { ...flowerFiles(), 'model.onnx': 'cut off' }, /HASH_MISMATCH/],
  ['a manifest alone', { 'manifest.json': flowerFiles()['manifest.json'] ?? '' }, /MISSING_FILE/],
])('%s stops the start, and it says why', async (_name, files, message) => {
  await expect(serving({ '': files })).rejects.toThrow(message)
})

test('no link leads out of the folder', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'modelport-outside-'))
  onTestFinished(() => rm(outside, { recursive: true, force: true }))
  await writeFile(join(outside, 'model.onnx'), flowerOnnx())
  const inside = await mkdtemp(join(tmpdir(), 'modelport-inside-'))
  onTestFinished(() => rm(inside, { recursive: true, force: true }))
  await symlink(join(outside, 'model.onnx'), join(inside, 'model.onnx'))
  await expect(startApp({}, { MODELS_DIR: inside })).rejects.toThrow(/OUTSIDE_FOLDER: model\.onnx is a link out/)
})
