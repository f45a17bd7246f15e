import { createHash } from 'node:crypto'
import type { Static, TSchema } from 'typebox'
import { type Preprocessor, PreprocessorSchema } from '../preprocess/spec.ts'
import { ArtifactError, type Reason } from './artifact-error.ts'
import { type Baseline, BaselineSchema } from './baseline.ts'
import { type Golden, GoldenSchema } from './golden.ts'
import { parseJson } from './json.ts'
import { type Manifest, ManifestSchema, manifestFaults } from './manifest.ts'
import type { VersionFiles } from './store.ts'

/** A version whose every file is what its manifest says it is. That the model runs is not known yet. */
export interface Artifact {
  readonly manifest: Manifest
  readonly model: Uint8Array
  /** Weights that the graph keeps outside of itself, by file name. */
  readonly externalData: ReadonlyMap<string, Uint8Array>
  readonly preprocessor: Preprocessor | undefined
  /** preprocessor.onnx: raw columns in, inputs of the model out. */
  readonly preprocessorGraph: Uint8Array | undefined
  readonly golden: Golden | undefined
  readonly baseline: Baseline | undefined
  /** What a person would expect and is not there, for the log. */
  readonly notes: readonly string[]
}

const optionalFiles = ['preprocessor.json', 'preprocessor.onnx', 'golden.json', 'baseline.json'] as const
const ownFiles: readonly string[] = ['manifest.json', 'model.onnx', ...optionalFiles]
/** What people leave in a folder without a manifest that holds no weights. */
const noWeights = /\.(md|txt|json|ya?ml|pbtxt|csv|html?|py|ipynb|png|svg)$/i

/**
 * Reads and verifies one version: shape of the manifest, then size and SHA-256 of each file it lists,
 * then each file's own shape.
 *
 * @throws ArtifactError
 */
export async function readArtifact (files: VersionFiles): Promise<Artifact> {
  const present = new Set(await files.list())
  if (!present.has('manifest.json')) return await readBareModel(files, present)

  const manifest = parseManifest(files, await files.read('manifest.json'))
  const contents = await readListed(files, manifest)
  const unlisted = optionalFiles.find(file => present.has(file) && !contents.has(file))
  if (unlisted !== undefined) {
    throw new ArtifactError('UNLISTED_FILE', `${unlisted} is in the folder but not in the manifest's files: list it with its sha256 and bytes, or remove it`)
  }
  return {
    manifest,
    model: required(contents, 'model.onnx'),
    externalData: new Map([...contents].filter(([file]) => !ownFiles.includes(file))),
    preprocessorGraph: contents.get('preprocessor.onnx'),
    preprocessor: parseFile(contents, 'preprocessor.json', PreprocessorSchema, 'BAD_PREPROCESSOR'),
    golden: parseFile(contents, 'golden.json', GoldenSchema, 'BAD_GOLDEN'),
    baseline: parseFile(contents, 'baseline.json', BaselineSchema, 'BAD_BASELINE'),
    notes: manifest.task === 'tensor' || contents.has('golden.json') ? [] : ['no golden.json: nothing proves that the model still gives its answers'],
  }
}

/** A folder with a model.onnx alone, as in a Triton tree, is served as raw tensors. */
async function readBareModel (files: VersionFiles, present: ReadonlySet<string>): Promise<Artifact> {
  if (!present.has('model.onnx')) throw new ArtifactError('MISSING_FILE', 'neither manifest.json nor model.onnx is there')
  const model = await files.read('model.onnx')
  const { name, version } = files
  const externalData = new Map<string, Uint8Array>()
  for (const file of present) {
    if (!ownFiles.includes(file) && !noWeights.test(file)) externalData.set(file, await files.read(file))
  }
  return {
    manifest: { schemaVersion: 1, name, version, task: 'tensor', files: { 'model.onnx': { sha256: sha256(model), bytes: model.byteLength } } },
    model,
    externalData,
    preprocessor: undefined,
    preprocessorGraph: undefined,
    golden: undefined,
    baseline: undefined,
    notes: ['no manifest.json: served as raw tensors, without feature names, labels, limits and golden rows'],
  }
}

function parseManifest ({ name, version }: VersionFiles, bytes: Uint8Array): Manifest {
  let manifest: Manifest
  try {
    manifest = parseJson(ManifestSchema, bytes)
  } catch (error) {
    throw new ArtifactError('BAD_MANIFEST', `manifest.json: ${(error as Error).message}`)
  }
  const faults = manifestFaults(manifest)
  if (manifest.name !== name) faults.push(`/name: is "${manifest.name}", but the folder is "${name}"`)
  if (manifest.version !== version) faults.push(`/version: is "${manifest.version}", but the folder is "${version}"`)
  if (faults.length > 0) throw new ArtifactError('BAD_MANIFEST', `manifest.json: ${faults.join('; ')}`)
  return manifest
}

async function readListed (files: VersionFiles, manifest: Manifest): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>()
  for (const [file, expected] of Object.entries(manifest.files)) {
    const bytes = await files.read(file)
    if (bytes.byteLength !== expected.bytes) {
      throw new ArtifactError('HASH_MISMATCH', `${file} has ${bytes.byteLength} bytes, the manifest says ${expected.bytes}`)
    }
    if (sha256(bytes) !== expected.sha256) {
      throw new ArtifactError('HASH_MISMATCH', `${file} has SHA-256 ${sha256(bytes)}, the manifest says ${expected.sha256}`)
    }
    contents.set(file, bytes)
  }
  return contents
}

function parseFile<T extends TSchema> (contents: ReadonlyMap<string, Uint8Array>, file: string, schema: T, reason: Reason): Static<T> | undefined {
  const bytes = contents.get(file)
  if (bytes === undefined) return undefined
  try {
    return parseJson(schema, bytes)
  } catch (error) {
    throw new ArtifactError(reason, `${file}: ${(error as Error).message}`)
  }
}

function required (contents: ReadonlyMap<string, Uint8Array>, file: string): Uint8Array {
  const bytes = contents.get(file)
  if (bytes === undefined) throw new ArtifactError('MISSING_FILE', `${file} is missing`)
  return bytes
}

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
