import { aliasTarget, parseAliases } from '../artifact/aliases.ts'
import { ArtifactError } from '../artifact/artifact-error.ts'
import { type Artifact, examineArtifact } from '../artifact/read.ts'
import type { ModelEntry, ModelStore, VersionFiles } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { compileAnswers } from './answers.ts'
import { failureOf } from './entry.ts'
import { type GoldenFault, type GoldenReport, checkGolden, compareGolden } from './golden.ts'
import { openModel } from './model.ts'
import type { Failure } from './status.ts'
import { compileFeed } from './tabular.ts'

/** All that is to be said of one version. */
export interface VersionReport {
  readonly name: string
  readonly version: string
  /** What keeps the version from being served, but for its golden rows. */
  readonly faults: readonly Failure[]
  readonly goldenFaults: readonly GoldenFault[]
  readonly warnings: readonly string[]
  /** Undefined where there are no golden rows, or they could not be run. */
  readonly golden: Omit<GoldenReport, 'faults'> | undefined
  readonly tookMs: number
}

/** What is to be said of a model beside its versions. */
export interface ModelReport { readonly name: string, readonly faults: readonly Failure[] }

/** Loads a version as the server does, and goes on where the server would stop. */
export async function verifyVersion (files: VersionFiles, host: EngineHost): Promise<VersionReport> {
  const startedMs = performance.now()
  const { artifact, faults } = await examineArtifact(files)
  const opened = artifact === undefined ? { faults: [], golden: undefined } : await tryOpen(artifact, host)
  return {
    name: files.name,
    version: files.version,
    faults: [...faults, ...opened.faults].map(failureOf),
    goldenFaults: opened.golden?.faults ?? [],
    warnings: artifact?.notes ?? [],
    golden: opened.golden && { rows: opened.golden.rows, largestDeviation: opened.golden.largestDeviation },
    tookMs: performance.now() - startedMs,
  }
}

/** What is wrong with a model as a whole: aliases that lead nowhere. */
export async function verifyAliases (store: ModelStore, { name, versions }: ModelEntry): Promise<Failure[]> {
  try {
    const aliases = parseAliases(await store.aliases(name))
    return Object.keys(aliases).flatMap(alias => {
      const target = aliasTarget(aliases, alias) ?? ''
      return versions.includes(target) ? [] : [{ reason: 'BAD_ALIASES', message: `aliases.json: ${alias} is "${target}", and there is no such version` }]
    })
  } catch (error) {
    return [failureOf(error)]
  }
}

async function tryOpen (artifact: Artifact, host: EngineHost): Promise<{ faults: unknown[], golden: GoldenReport | undefined }> {
  let golden: GoldenReport | undefined
  try {
    const model = await openModel(artifact, host, 0, async (rows, tabular, engine) => {
      if (rows === undefined) await checkGolden(rows, tabular, engine)
      else golden = await compareGolden(rows, tabular, engine)
    })
    await model.engine.close()
    return { faults: [], golden }
  } catch (error) {
    const isSignature = error instanceof ArtifactError && error.reason === 'SIGNATURE_MISMATCH'
    const faults = isSignature ? await signatureFaults(artifact, host) : []
    // It may be that only a run shows what is wrong.
    return { faults: faults.length > 0 ? faults : [error], golden }
  }
}

/** What of the graph's inputs and outputs is not as the manifest and the preprocessor say. */
async function signatureFaults (artifact: Artifact, host: EngineHost): Promise<unknown[]> {
  const { model, manifest, externalData, preprocessorGraph: preprocessor } = artifact
  const engine = await host.open(model, { externalData, preprocessor })
  try {
    return [
      ...faultOf(() => compileFeed(artifact, manifest.features ?? [], engine)),
      ...Object.entries(manifest.outputs ?? {}).flatMap(([role, name]) => faultOf(() => compileAnswers({ ...manifest, outputs: { [role]: name } }, engine.outputs))),
    ]
  } finally {
    await engine.close()
  }
}

function faultOf (check: () => unknown): unknown[] {
  try {
    check()
    return []
  } catch (error) {
    return [error]
  }
}
