import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Manifest } from '../artifact/manifest.ts'
import type { Artifact } from '../artifact/read.ts'
import type { Batch, Engine, EngineHost, GraphSpecs } from '../engine/engine.ts'
import type { Fault } from '../errors.ts'
import { compileRowReader } from '../schemas/row-reader.ts'
import { checkGolden } from './golden.ts'
import { rowByRow, takesOneRow } from './row-by-row.ts'
import { type Tabular, compileFeed, compileTabular } from './tabular.ts'

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
 * @param prove what is done with the golden rows
 * @throws ArtifactError; nothing stays open then
 */
export async function openModel (artifact: Artifact, host: EngineHost, startedMs: number, prove = checkGolden): Promise<Model> {
  const { manifest } = artifact
  const engine = await openEngine(artifact, host)
  try {
    const tabular = manifest.features === undefined ? undefined : compileTabular(artifact, manifest.features, engine)
    if (tabular !== undefined) await prove(artifact.golden, tabular, engine)
    return { artifact, manifest, engine, tabular, loadMs: performance.now() - startedMs }
  } catch (error) {
    await engine.close()
    throw error
  }
}

async function openEngine (artifact: Artifact, host: EngineHost): Promise<Engine> {
  const { externalData, preprocessorGraph: preprocessor } = artifact
  try {
    const engine = await host.open(artifact.model, { externalData, preprocessor, warmUp: specs => warmUpOf(artifact, specs) })
    return artifact.manifest.features !== undefined && takesOneRow(engine) ? rowByRow(engine) : engine
  } catch (error) {
    if (error instanceof ArtifactError) throw error
    throw new ArtifactError('BAD_MODEL', `model.onnx: ${(error as Error).message}`, { cause: error })
  }
}

/**
 * One row such as callers send: the engine measures a run with it before anybody waits. A golden row,
 * else zeros for what the preprocessor gives; without either the graph itself says what a row is.
 *
 * @throws ArtifactError when the features do not fill the graph's inputs
 */
function warmUpOf (artifact: Artifact, specs: GraphSpecs): Batch | undefined {
  const { golden, preprocessor, manifest: { features } } = artifact
  if (features === undefined) return undefined
  const filling = compileFeed(artifact, features, specs).begin(1)
  const faults: Fault[] = []
  const row = golden === undefined ? undefined : compileRowReader(features).read(golden.rows[0]?.row, faults)
  // A row that does not fit is told by the golden rows' own check.
  if (row !== undefined && faults.length === 0) filling.write(row, 0)
  else if (preprocessor === undefined) return undefined
  return { inputs: filling.tensors(1), rows: 1 }
}
