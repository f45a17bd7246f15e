import { type Aliases, parseAliases } from '../artifact/aliases.ts'
import { readArtifact } from '../artifact/read.ts'
import { failureOf } from './entry.ts'
import { type Workshop, digestOf, readyFrom } from './load-version.ts'
import { openModel } from './model.ts'
import type { Failure, ModelStatus, ReadyVersion } from './status.ts'

/** A version as it stands in the repository now, beside what is loaded. */
export type FoundVersion =
  | { readonly kind: 'same' | 'opened', readonly digest: string, readonly ready: ReadyVersion }
  | { readonly kind: 'failed', readonly failure: Failure, readonly error: Error }

/** A model as it stands in the repository now: all that is new is open and proven, and nobody sees it yet. */
export interface FoundModel {
  readonly aliases: Aliases
  readonly aliasFault: Failure | undefined
  /** Oldest first. */
  readonly versions: ReadonlyMap<string, FoundVersion>
}

/**
 * Reads a model again and opens what has changed.
 *
 * @returns undefined where the repository has no such model
 */
export async function findModel (workshop: Workshop, name: string, current: ModelStatus | undefined): Promise<FoundModel | undefined> {
  const listed = await workshop.store.model(name)
  if (listed === undefined) return undefined
  const versions = new Map<string, FoundVersion>()
  for (const version of listed.versions) {
    const before = current?.versions.get(version)
    versions.set(version, await findVersion(workshop, name, version, before?.state === 'ready' ? before : undefined))
  }
  return { ...await findAliases(workshop, name), versions }
}

async function findAliases ({ store }: Workshop, name: string): Promise<Pick<FoundModel, 'aliases' | 'aliasFault'>> {
  try {
    return { aliases: parseAliases(await store.aliases(name)), aliasFault: undefined }
  } catch (error) {
    return { aliases: {}, aliasFault: { reason: 'BAD_ALIASES', message: (error as Error).message } }
  }
}

async function findVersion ({ store, host }: Workshop, name: string, version: string, before: ReadyVersion | undefined): Promise<FoundVersion> {
  const startedMs = performance.now()
  try {
    const artifact = await readArtifact(store.version(name, version))
    const digest = digestOf(artifact)
    if (before !== undefined && digestOf(before.model.artifact) === digest) return { kind: 'same', digest, ready: before }
    return { kind: 'opened', digest, ready: readyFrom(await openModel(artifact, host, startedMs)) }
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error), error: error as Error }
  }
}
