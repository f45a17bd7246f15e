import { createHash } from 'node:crypto'
import { type Artifact, readArtifact } from '../artifact/read.ts'
import type { ModelStore } from '../artifact/store.ts'
import type { EngineHost } from '../engine/engine.ts'
import { type Model, openModel } from './model.ts'
import type { ReadyVersion, RegistryEvents } from './status.ts'

/** What the registry works with. */
export interface Workshop {
  readonly store: ModelStore
  readonly host: EngineHost
  readonly events: RegistryEvents
}

/** @throws ArtifactError; nothing stays open then */
export async function loadVersion ({ store, host }: Workshop, name: string, version: string): Promise<ReadyVersion> {
  const startedMs = performance.now()
  return readyFrom(await openModel(await readArtifact(store.version(name, version)), host, startedMs))
}

export function readyFrom (model: Model): ReadyVersion {
  return { state: 'ready', model, proofRuns: model.engine.executions() }
}

/** The same for the same files. The manifest holds the hash of each that it lists. */
export function digestOf ({ manifest, externalData }: Pick<Artifact, 'manifest' | 'externalData'>): string {
  const hash = createHash('sha256').update(JSON.stringify(manifest))
  for (const [file, bytes] of externalData) {
    if (!Object.hasOwn(manifest.files, file)) hash.update(`\n${file}\n`).update(bytes)
  }
  return hash.digest('hex')
}
