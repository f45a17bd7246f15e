import { ArtifactError } from '../artifact/artifact-error.ts'
import { parseJson } from '../artifact/json.ts'
import { type Manifest, ManifestSchema } from '../artifact/manifest.ts'
import { readArtifact } from '../artifact/read.ts'
import type { VersionFiles } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { type ModelFacts, modelFacts } from '../onnx/read-facts.ts'
import { externalConstants } from '../onnx/read-external.ts'
import { readModel } from '../onnx/read.ts'
import { openModel } from '../serving/model.ts'
import { type FileKind, fileKind } from './file-kind.ts'
import { type ModelFile, importFile } from './import-file.ts'

type Described = Pick<Manifest, 'task' | 'features' | 'labels' | 'outputs'>

export interface Inspection {
  readonly kind: FileKind | 'version'
  readonly bytes: number
  /** What the graph says of itself; of a file of another kind, what the graph that comes of it says. */
  readonly graph?: ModelFacts
  /** Files in which the graph looks for weights. */
  readonly externalData: readonly string[]
  /** What an import would make of it, or what the version's manifest says. */
  readonly manifest?: Partial<Manifest> & Described
  readonly notices: readonly string[]
  /** Why it cannot be served; none: it can. */
  readonly obstacles: readonly string[]
}

/**
 * Looks at a file that could be imported.
 *
 * @throws FatalError when it is none
 */
export async function inspectFile (file: ModelFile, host: EngineHost): Promise<Inspection> {
  const kind = fileKind(file.bytes)
  const own = kind === 'onnx' ? graphOf(file.bytes) : { externalData: [] }
  const seen = { kind, bytes: file.bytes.byteLength, ...own }
  try {
    const { task, features, labels, outputs, origin, notices, model } = await importFile(file, {}, host)
    const manifest = { task, ...defined({ features: features && [...features], labels: labels && [...labels], outputs }), training: { ...origin } }
    return { ...seen, ...(kind === 'onnx' ? {} : graphOf(model)), manifest, notices, obstacles: [] }
  } catch (error) {
    return { ...seen, notices: [], obstacles: [obstacleOf(error)] }
  }
}

/**
 * Looks at a version of the repository.
 *
 * @throws ArtifactError when it has no model, or its files cannot be read
 */
export async function inspectVersion (files: VersionFiles, host: EngineHost): Promise<Inspection> {
  const present = await files.list()
  const bytes = await files.read('model.onnx')
  const text = present.includes('manifest.json') ? await files.read('manifest.json') : undefined
  const seen = { kind: 'version' as const, bytes: bytes.byteLength, ...readableGraph(bytes) }
  try {
    const artifact = await readArtifact(files)
    const model = await openModel(artifact, host, performance.now())
    await model.engine.close()
    return { ...seen, manifest: artifact.manifest, notices: artifact.notes, obstacles: [] }
  } catch (error) {
    return { ...seen, ...defined({ manifest: text && readableManifest(text) }), notices: [], obstacles: [obstacleOf(error)] }
  }
}

function graphOf (bytes: Uint8Array): Pick<Inspection, 'graph' | 'externalData'> {
  const model = readModel(bytes)
  return { graph: modelFacts(model), externalData: [...new Set(externalConstants(model).map(({ location }) => location))] }
}

function readableGraph (bytes: Uint8Array): Pick<Inspection, 'graph' | 'externalData'> {
  try {
    return graphOf(bytes)
  } catch {
    // The loader says why.
    return { externalData: [] }
  }
}

function readableManifest (bytes: Uint8Array): Manifest | undefined {
  try {
    return parseJson(ManifestSchema, bytes)
  } catch {
    return undefined
  }
}

function obstacleOf (error: unknown): string {
  if (error instanceof ArtifactError) return `${error.reason}: ${error.message}`
  if (error instanceof FatalError) return error.message
  throw error
}

function defined<T extends object> (values: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [Key in keyof T]?: Exclude<T[Key], undefined> }
}
