import { symlink, unlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { ArtifactError, type Reason } from '../../src/artifact/artifact-error.ts'
import { folderStore } from '../../src/artifact/folder-store.ts'
import { type Artifact, readArtifact } from '../../src/artifact/read.ts'
import { type Files, flowerFiles, flowerOnnx, flowerPreprocessor, repository, withManifest } from '../helpers/models.ts'

/** A repository with one version of the flower model that a test may spoil; it ends with the test. */
async function flower (files: Files = flowerFiles()): Promise<{ root: string, folder: string, read: () => Promise<Artifact> }> {
  const { path: root, remove } = await repository({ 'flower/1.0.0': files })
  onTestFinished(remove)
  return { root, folder: join(root, 'flower/1.0.0'), read: async () => await readArtifact(folderStore(root).version('flower', '1.0.0')) }
}

/** The sound files with others over them, as the manifest's hashes know them. */
function relisted (different: Files): Files {
  const { 'manifest.json': _, ...files } = { ...flowerFiles(), ...different }
  return withManifest(files)
}

test('a sound version comes whole', async () => {
  const { read } = await flower()
  const artifact = await read()
  expect(artifact).toMatchObject({ manifest: { name: 'flower', version: '1.0.0' }, preprocessor: flowerPreprocessor, golden: { rows: [{}, {}] }, baseline: undefined, notes: [] })
  expect(Buffer.compare(artifact.model, flowerOnnx())).toBe(0)
})

test('a model alone is served as raw tensors, and the notes say what is missing', async () => {
  const { read } = await flower({ 'model.onnx': flowerOnnx() })
  const { manifest, notes } = await read()
  expect(manifest).toMatchObject({ name: 'flower', version: '1.0.0', task: 'tensor', files: { 'model.onnx': { bytes: flowerOnnx().byteLength } } })
  expect(notes).toEqual([expect.stringContaining('no manifest.json')])
})

test('a version without golden rows is noted', async () => {
  const { 'golden.json': _, 'manifest.json': __, ...files } = flowerFiles()
  const { read } = await flower(withManifest(files))
  expect((await read()).notes).toEqual([expect.stringContaining('no golden.json')])
})

describe('a version that is not what its manifest says is refused', () => {
  const changed = Uint8Array.from(flowerOnnx(), (byte, i) => i === 100 ? byte ^ 1 : byte)

  test.each<[what: string, files: Files, reason: Reason, message: RegExp]>([
    ['nothing in the folder', { 'notes.txt': 'later' }, 'MISSING_FILE', /neither manifest\.json nor model\.onnx/],
    ['a file missing', withoutFile('golden.json'), 'MISSING_FILE', /^golden\.json is missing$/],
    ['the model missing', withoutFile('model.onnx'), 'MISSING_FILE', /^model\.onnx is missing$/],
    ['the model cut short', { ...flowerFiles(), 'model.onnx': flowerOnnx().subarray(0, 200) }, 'HASH_MISMATCH', /^model\.onnx has 200 bytes, the manifest says \d+$/],
    ['one bit of the model changed', { ...flowerFiles(), 'model.onnx': changed }, 'HASH_MISMATCH', /^model\.onnx has SHA-256 [0-9a-f]{64}, the manifest says [0-9a-f]{64}$/],
    ['one blank more in the preprocessor', { ...flowerFiles(), 'preprocessor.json': `${JSON.stringify(flowerPreprocessor)} ` }, 'HASH_MISMATCH', /^preprocessor\.json has/],
    ['golden rows that the manifest does not list', { ...withoutListing('golden.json') }, 'UNLISTED_FILE', /^golden\.json is in the folder but not in the manifest's files/],
    ['a preprocessor that the manifest does not list', { ...withoutListing('preprocessor.json') }, 'UNLISTED_FILE', /^preprocessor\.json/],
    ['a manifest that is no JSON', { ...flowerFiles(), 'manifest.json': '{' }, 'BAD_MANIFEST', /^manifest\.json: is not JSON/],
    ['a manifest that is not text', { ...flowerFiles(), 'manifest.json': Uint8Array.of(0xff, 0xfe) }, 'BAD_MANIFEST', /^manifest\.json: is not JSON/],
    ['a manifest of another shape', { ...flowerFiles(), 'manifest.json': [] }, 'BAD_MANIFEST', /^manifest\.json: \/ /],
    ['another name', withManifest({ 'model.onnx': flowerOnnx() }, { name: 'tree' }), 'BAD_MANIFEST', /\/name: is "tree", but the folder is "flower"/],
    ['another version', withManifest({ 'model.onnx': flowerOnnx() }, { version: '1.0.1' }), 'BAD_MANIFEST', /\/version: is "1\.0\.1", but the folder is "1\.0\.0"/],
    ['a path among its files', withManifest({ 'model.onnx': flowerOnnx() }, { files: { '../../secret': { sha256: 'a'.repeat(64), bytes: 6 } } }), 'BAD_MANIFEST', /"\.\.\/\.\.\/secret" must be the name of a file/],
    ['a preprocessor of another shape', relisted({ 'preprocessor.json': { ...flowerPreprocessor, columns: [] } }), 'BAD_PREPROCESSOR', /^preprocessor\.json: \/columns /],
    ['golden rows of another shape', relisted({ 'golden.json': { schemaVersion: 1, rows: [] } }), 'BAD_GOLDEN', /^golden\.json: \/rows /],
    ['a baseline of another shape', relisted({ 'baseline.json': { schemaVersion: 1 } }), 'BAD_BASELINE', /^baseline\.json: \/ /],
  ])('%s', async (_what, files, reason, message) => {
    const { read } = await flower(files)
    await expect(read()).rejects.toThrow(message)
    await expect(read()).rejects.toBeInstanceOf(ArtifactError)
    await expect(read()).rejects.toMatchObject({ reason })
  })
})

describe('links', () => {
  test('out of the version\'s folder are not followed', async () => {
    const { root, folder, read } = await flower()
    await unlink(join(folder, 'golden.json'))
    await writeFile(join(root, 'secret.json'), JSON.stringify(flowerFiles()['golden.json']))
    await symlink('../../secret.json', join(folder, 'golden.json'))
    await expect(read()).rejects.toMatchObject({ reason: 'OUTSIDE_FOLDER', message: expect.not.stringContaining(root) })
  })

  test('to a sibling that only begins like the folder are not followed', async () => {
    const { path: root, remove } = await repository({ 'flower/1.0.0': flowerFiles(), 'flower/1.0.0-rc.1': flowerFiles('flower', '1.0.0-rc.1') })
    onTestFinished(remove)
    await unlink(join(root, 'flower/1.0.0/model.onnx'))
    await symlink('../1.0.0-rc.1/model.onnx', join(root, 'flower/1.0.0/model.onnx'))
    await expect(readArtifact(folderStore(root).version('flower', '1.0.0'))).rejects.toMatchObject({ reason: 'OUTSIDE_FOLDER' })
  })

  test('that make the whole version point out of the repository are not followed', async () => {
    const outside = await flower()
    const { path: root, remove } = await repository({ 'flower/aliases.json': '{}' })
    onTestFinished(remove)
    await symlink(outside.folder, join(root, 'flower/1.0.0'))
    await expect(readArtifact(folderStore(root).version('flower', '1.0.0'))).rejects.toMatchObject({ reason: 'OUTSIDE_FOLDER' })
  })

  test('within the folder are followed, as a Kubernetes volume has them', async () => {
    const { 'model.onnx': model, ...files } = flowerFiles()
    const { folder, read } = await flower({ ...files, '..2026_11_20/model.onnx': model as Uint8Array })
    await symlink('..2026_11_20', join(folder, '..data'))
    await symlink('..data/model.onnx', join(folder, 'model.onnx'))
    expect((await read()).manifest.name).toBe('flower')
  })

  test('that lead nowhere are missing files', async () => {
    const { folder, read } = await flower(withoutFile('golden.json'))
    await symlink('nowhere.json', join(folder, 'golden.json'))
    await expect(read()).rejects.toMatchObject({ reason: 'MISSING_FILE' })
  })
})

test('a folder where a file should be cannot be read', async () => {
  const { read } = await flower({ ...withoutFile('golden.json'), 'golden.json/x': '' })
  await expect(read()).rejects.toMatchObject({ reason: 'UNREADABLE', message: 'golden.json cannot be read (EISDIR)' })
})

/** The sound version, listed and not there. */
function withoutFile (file: string): Files {
  return Object.fromEntries(Object.entries(flowerFiles()).filter(([name]) => name !== file))
}

/** The sound version, there and not listed. */
function withoutListing (file: string): Files {
  const files = flowerFiles()
  const { 'manifest.json': _, [file]: content, ...rest } = files
  return { ...withManifest(rest), [file]: content as object }
}
