import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Artifact } from '../artifact/read.ts'
import type { Batch, Engine, EngineHost, GraphParts } from '../engine/engine.ts'
import { matrixFeed } from '../preprocess/feed.ts'
import { checkGolden } from './golden.ts'
import { type Tabular, compileFeed, compileSpec, compileTabular } from './tabular.ts'

/** A version that proved itself: it answers until it is closed. */
export interface Model {
  readonly artifact: Artifact
  readonly manifest: Manifest
  readonly engine: Engine
  /** How rows become answers; undefined for the task "tensor", which has no features. */
  readonly tabular: Tabular | undefined
  /** From the first byte read to the last golden row, in milliseconds. */
  readonly loadMs: number
}

/**
 * Opens the model, fits its parts together and runs its golden rows.
 *
 * @throws ArtifactError; nothing stays open then
 */
export async function openModel (artifact: Artifact, host: EngineHost, startedMs: number): Promise<Model> {
  const { manifest } = artifact
  const engine = await openEngine(artifact, host)
  try {
    const tabular = manifest.features === undefined ? undefined : compileTabular(artifact, manifest.features, engine)
    if (tabular !== undefined) await checkGolden(artifact.golden, tabular, engine)
    return { artifact, manifest, engine, tabular, loadMs: performance.now() - startedMs }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function openEngine (artifact: Artifact, host: EngineHost): Promise<Engine> {
  const warmUp = warmUpOf(artifact)
  try {
    return await host.open(artifact.model, { ...partsOf(artifact), warmUp })
  } catch (error) {
    // Rows that do not fit the graph fail in it with words that only its author understands.
    if (warmUp !== undefined) await refuseMisfit(artifact, host)
    throw new ArtifactError('BAD_MODEL', `model.onnx: ${(error as Error).message}`, { cause: error })
  }
}

/** @throws ArtifactError when the graph can be opened and its inputs are not what the preprocessor fills */
async function refuseMisfit (artifact: Artifact, host: EngineHost): Promise<void> {
  const engine = await host.open(artifact.model, partsOf(artifact)).catch(() => undefined)
  if (engine === undefined) return
  try {
    compileFeed(artifact, artifact.manifest.features ?? [], engine)
  } finally {
    await engine.close()
  }
}

/** Without a preprocessor the graph itself says what a row is. */
function warmUpOf ({ preprocessor, manifest: { features } }: Artifact): Batch | undefined {
  if (preprocessor === undefined || features === undefined) return undefined
  // One row of zeros: the engine measures a run with it before anybody waits.
  return { inputs: matrixFeed(compileSpec(preprocessor, features)).begin(1).tensors(1), rows: 1 }
}

function partsOf ({ externalData, preprocessorGraph }: Artifact): GraphParts {
  return { externalData, preprocessor: preprocessorGraph }
}
