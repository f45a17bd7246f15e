import { ArtifactError } from '../artifact/artifact-error.ts'
import { type Golden, goldenTolerance } from '../artifact/golden.ts'
import { type Manifest, manifestFaults } from '../artifact/manifest.ts'
import { readArtifact } from '../artifact/read.ts'
import type { EngineHost } from '../engine/engine.ts'
import { FatalError } from '../errors.ts'
import { openModel } from '../serving/model.ts'
import { tidyJson } from '../artifact/tidy-json.ts'
import type { ExpectedRow } from './golden.ts'
import { answerRows } from './golden-answers.ts'
import { listed, memoryFiles } from './memory-files.ts'
import type { DescribedModel } from './onnx.ts'

export interface VersionPlan {
  readonly name: string
  readonly version: string
  readonly description?: string | undefined
  readonly createdAt: Date
  readonly imported: DescribedModel
  readonly golden?: readonly ExpectedRow[] | undefined
}

export interface MadeVersion {
  readonly manifest: Manifest
  readonly files: Readonly<Record<string, Uint8Array | string>>
  readonly notices: readonly string[]
}

type Files = Record<string, Uint8Array | string>

/**
 * Makes a version and serves it once, as the server would: with its golden rows, if there are any.
 *
 * @throws FatalError that says why it cannot be served
 */
export async function makeVersion (plan: VersionPlan, host: EngineHost): Promise<MadeVersion> {
  const { imported, golden } = plan
  const parts: Files = {
    'model.onnx': imported.model,
    ...imported.externalData,
    ...(imported.preprocessor === undefined ? {} : { 'preprocessor.json': tidyJson(imported.preprocessor) }),
    ...(imported.preprocessorGraph === undefined ? {} : { 'preprocessor.onnx': imported.preprocessorGraph }),
  }
  if (golden === undefined) return await served(plan, parts, host, imported.notices)

  const bare = withManifest(plan, parts)
  const { rows, filled } = await answerRows(await artifactOf(bare), golden, host)
  const notices = filled === 0 ? [] : [`${filled} of ${rows.length} golden rows come without expected answers, so they are the model's own: they prove that it stays the same, not that it is right`]
  const text = tidyJson({ schemaVersion: 1, rows } satisfies Golden)
  return await served(withExamples(plan), { ...parts, 'golden.json': text }, host, [...imported.notices, ...notices])
}

async function served (plan: VersionPlan, parts: Files, host: EngineHost, notices: readonly string[]): Promise<MadeVersion> {
  const made = withManifest(plan, parts)
  try {
    const model = await openModel(await artifactOf(made), host, performance.now())
    await model.engine.close()
  } catch (error) {
    if (!(error instanceof ArtifactError)) throw error
    const hint = error.reason === 'GOLDEN_MISMATCH' ? ` (tolerances: ${goldenTolerance.relative} of the value, ${goldenTolerance.absolute}): the golden rows are those of another model, or are preprocessed in another way` : ''
    throw new FatalError(`${error.message}${hint}`, { cause: error })
  }
  return { ...made, notices }
}

async function artifactOf ({ manifest: { name, version }, files }: Omit<MadeVersion, 'notices'>) {
  return await readArtifact(memoryFiles(name, version, files))
}

function withManifest ({ name, version, description, createdAt, imported }: VersionPlan, parts: Files): Omit<MadeVersion, 'notices'> {
  const { task, features, labels, outputs, origin } = imported
  const manifest: Manifest = {
    schemaVersion: 1,
    name,
    version,
    createdAt: createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
    ...(description === undefined ? {} : { description }),
    task,
    files: listed(parts),
    ...(features === undefined ? {} : { features: [...features] }),
    ...(labels === undefined ? {} : { labels: [...labels] }),
    ...(outputs === undefined ? {} : { outputs }),
    training: { ...origin },
  }
  const [fault] = manifestFaults(manifest)
  if (fault !== undefined) throw new FatalError(`the manifest would not be valid: ${fault}`)
  return { manifest, files: { 'manifest.json': tidyJson(manifest), ...parts } }
}

/** The first golden row shows best what a row looks like. */
function withExamples (plan: VersionPlan): VersionPlan {
  const { imported, golden: [first] = [] } = plan
  if (first === undefined || imported.features === undefined) return plan
  const features = imported.features.map(feature => {
    const value = first.row[feature.name]
    return feature.example !== undefined || value === undefined || value === null || typeof value === 'object' ? feature : { ...feature, example: value }
  })
  return { ...plan, imported: { ...imported, features } }
}
