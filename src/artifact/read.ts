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
/** The model runs without them. */
const sideFiles: readonly string[] = ['golden.json', 'baseline.json']
/** What people leave in a folder without a manifest that holds no weights. */
const noWeights = /\.(md|txt|json|ya?ml|pbtxt|csv|html?|py|ipynb|png|svg)$/i

/**
 * Reads and verifies one version: shape of the manifest, then size and SHA-256 of each file it lists,
 * then each file's own shape.
 *
 * @throws ArtifactError
 */
export async function readArtifact (files: VersionFiles): Promise<Artifact> {
  const { artifact, faults: [fault] } = await examineArtifact(files)
  if (fault !== undefined) throw fault
  return artifact as Artifact
}

/** A version with all that is wrong with its files; without an artifact where what is left cannot be run. */
export interface ExaminedArtifact {
  readonly artifact: Artifact | undefined
  /** None only beside an artifact. */
  readonly faults: readonly ArtifactError[]
}

/** Reads a version on beyond its first fault, for those who want to hear of all of them. */
export async function examineArtifact (files: VersionFiles): Promise<ExaminedArtifact> {
  const faults: ArtifactError[] = []
  const artifact = await attempt(faults, async () => {
    const present = new Set(await files.list())
    if (!present.has('manifest.json')) return await readBareModel(files, present)
    return await readDescribed(files, parseManifest(files, await files.read('manifest.json')), present, faults)
  })
  return { artifact, faults }
}

async function readDescribed (files: VersionFiles, manifest: Manifest, present: ReadonlySet<string>, faults: ArtifactError[]): Promise<Artifact | undefined> {
  const contents = await readListed(files, manifest, faults)
  for (const file of optionalFiles.filter(file => present.has(file) && !Object.hasOwn(manifest.files, file))) {
    faults.push(new ArtifactError('UNLISTED_FILE', `${file} is in the folder but not in the manifest's files: list it with its sha256 and bytes, or remove it`))
  }
  const preprocessor = await attempt(faults, () => parseFile(contents, 'preprocessor.json', PreprocessorSchema, 'BAD_PREPROCESSOR'))
  const golden = await attempt(faults, () => parseFile(contents, 'golden.json', GoldenSchema, 'BAD_GOLDEN'))
  const baseline = await attempt(faults, () => parseFile(contents, 'baseline.json', BaselineSchema, 'BAD_BASELINE'))
  const model = contents.get('model.onnx')
  const isWhole = Object.keys(manifest.files).every(file => contents.has(file) || sideFiles.includes(file))
  if (model === undefined || !isWhole || (contents.has('preprocessor.json') && preprocessor === undefined)) return undefined
  return {
    manifest,
    model,
    externalData: new Map([...contents].filter(([file]) => !ownFiles.includes(file))),
    preprocessorGraph: contents.get('preprocessor.onnx'),
    preprocessor,
    golden,
    baseline,
    notes: manifest.task === 'tensor' || 'golden.json' in manifest.files ? [] : ['no golden.json: nothing proves that the model still gives its answers'],
  }
}

async function attempt<T> (faults: ArtifactError[], step: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error
    faults.push(error)
    return undefined
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

async function readListed (files: VersionFiles, manifest: Manifest, faults: ArtifactError[]): Promise<Map<string, Uint8Array>> {
  const contents = new Map<string, Uint8Array>()
  for (const [file, expected] of Object.entries(manifest.files)) {
    const bytes = await attempt(faults, () => files.read(file))
    if (bytes === undefined) continue
    contents.set(file, bytes)
    if (bytes.byteLength !== expected.bytes) {
      faults.push(new ArtifactError('HASH_MISMATCH', `${file} has ${bytes.byteLength} bytes, the manifest says ${expected.bytes}`))
    } else if (sha256(bytes) !== expected.sha256) {
      faults.push(new ArtifactError('HASH_MISMATCH', `${file} has SHA-256 ${sha256(bytes)}, the manifest says ${expected.sha256}`))
    }
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

function sha256 (bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
