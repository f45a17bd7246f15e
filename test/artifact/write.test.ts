import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeVersion } from '../../src/artifact/write.ts'
import { FatalError } from '../../src/errors.ts'

let models: string

beforeEach(async () => {
  models = await mkdtemp(join(tmpdir(), 'modelport-write-'))
})

afterEach(async () => {
  await rm(models, { recursive: true })
})

/** Every file below the models folder with its text, hidden ones too. */
async function contents (): Promise<Record<string, string>> {
  const entries = await readdir(models, { recursive: true, withFileTypes: true })
  const files = entries.filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name))
  return Object.fromEntries(await Promise.all(files.map(async file =>
    [file.slice(models.length + 1), await readFile(file, 'utf8')])))
}

test('writes texts and bytes, and nothing else', async () => {
  const folder = await writeVersion(models, 'iris', '1.0.0', { 'manifest.json': '{}', 'model.onnx': Uint8Array.of(104, 105) })
  expect(folder).toBe(join(models, 'iris', '1.0.0'))
  expect(await contents()).toEqual({ 'iris/1.0.0/manifest.json': '{}', 'iris/1.0.0/model.onnx': 'hi' })
  expect(await readdir(join(models, 'iris'))).toEqual(['1.0.0'])
})

test('makes the models folder where there is none', async () => {
  await writeVersion(join(models, 'deep', 'down'), 'iris', '1', { 'model.onnx': 'x' })
  expect(await contents()).toEqual({ 'deep/down/iris/1/model.onnx': 'x' })
})

test('keeps a version that exists', async () => {
  await writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'old' })
  await expect(writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'new' })).rejects.toThrow(/iris 1\.0\.0 already exists .*--force/)
  expect(await contents()).toEqual({ 'iris/1.0.0/model.onnx': 'old' })
})

test('replaces a version as a whole when forced to', async () => {
  await writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'old', 'golden.json': 'old' })
  await writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'new' }, { force: true })
  expect(await contents()).toEqual({ 'iris/1.0.0/model.onnx': 'new' })
  expect(await readdir(join(models, 'iris'))).toEqual(['1.0.0'])
})

test.each([
  ['..', '1', 'model.onnx'],
  ['iris', '../1', 'model.onnx'],
  ['iris', '.hidden', 'model.onnx'],
  ['iris', '1', '../model.onnx'],
  ['iris', '1', 'a/b'],
  ['', '1', 'model.onnx'],
])('refuses the name in %j / %j / %j and writes nothing', async (name, version, file) => {
  await expect(writeVersion(models, name, version, { [file]: 'x' })).rejects.toThrow(FatalError)
  expect(await readdir(models)).toEqual([])
})

test('leaves nothing behind when a file cannot be written', async () => {
  // Not a content at all, so that the third file fails after two are on the disk.
  const files = { 'manifest.json': '{}', 'model.onnx': 'x', 'golden.json': 5 as unknown as string }
  await expect(writeVersion(models, 'iris', '1.0.0', files)).rejects.toThrow()
  expect(await readdir(models)).toEqual([])
})

test('leaves other versions alone when a file cannot be written', async () => {
  await writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'x' })
  await expect(writeVersion(models, 'iris', '1.1.0', { 'model.onnx': 5 as unknown as string })).rejects.toThrow()
  expect(await readdir(join(models, 'iris'))).toEqual(['1.0.0'])
})

test('does not take a file in its place for a free place', async () => {
  await mkdir(join(models, 'iris'))
  await writeFile(join(models, 'iris', '1.0.0'), 'a file')
  await expect(writeVersion(models, 'iris', '1.0.0', { 'model.onnx': 'x' })).rejects.toThrow(/already exists/)
  expect(await contents()).toEqual({ 'iris/1.0.0': 'a file' })
})

const writers = Array.from({ length: 12 }, (_, i) => ({ 'manifest.json': `${i}`, 'model.onnx': `${i}` }))

test('of many writers at once one wins, and what it wrote stays whole', async () => {
  const results = await Promise.allSettled(writers.map(files => writeVersion(models, 'iris', '1.0.0', files)))
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  for (const result of results) {
    if (result.status === 'rejected') expect(String(result.reason)).toMatch(/already exists/)
  }
  const winner = results.findIndex(({ status }) => status === 'fulfilled')
  expect(await contents()).toEqual({ 'iris/1.0.0/manifest.json': `${winner}`, 'iris/1.0.0/model.onnx': `${winner}` })
  expect(await readdir(join(models, 'iris'))).toEqual(['1.0.0'])
})

test('of many forced writers at once all succeed, and one version stays whole', async () => {
  await Promise.all(writers.map(files => writeVersion(models, 'iris', '1.0.0', files, { force: true })))
  const { 'iris/1.0.0/manifest.json': manifest, 'iris/1.0.0/model.onnx': model, ...others } = await contents()
  expect(manifest).toBeDefined()
  expect(model).toBe(manifest)
  expect(others).toEqual({})
  expect(await readdir(join(models, 'iris'))).toEqual(['1.0.0'])
})
