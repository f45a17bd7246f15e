import { aliasTarget, type Aliases } from '../artifact/aliases.ts'
import { ArtifactError } from '../artifact/artifact-error.ts'
import type { Failure, ModelStatus, ReadyVersion, VersionState } from './status.ts'

/** The registry's own, writable side of a ModelStatus. */
export type Entry = { -readonly [Key in keyof ModelStatus]: ModelStatus[Key] } & { readonly versions: Map<string, VersionState> }

export function newEntry (name: string, versions: readonly string[], state: 'pending' | 'unloaded' = 'pending'): Entry {
  return {
    name,
    isDefault: false,
    aliases: {},
    serving: undefined,
    fault: undefined,
    unloaded: state === 'unloaded',
    versions: new Map(versions.map(version => [version, { state }])),
  }
}

/** The versions that may answer for the name, the first that can before the others: production's alone, else from the latest down. */
export function candidates ({ aliases, versions }: Pick<ModelStatus, 'aliases' | 'versions'>): string[] {
  const production = aliasTarget(aliases, 'production')
  return production === undefined ? [...versions.keys()].reverse() : [production]
}

/** An alias that decides, and leads nowhere. */
export function productionFault (aliases: Aliases, versions: ReadonlyMap<string, unknown>): Failure | undefined {
  const production = aliasTarget(aliases, 'production')
  if (production === undefined || versions.has(production)) return undefined
  return { reason: 'BAD_ALIASES', message: `aliases.json: production is "${production}", and there is no such version` }
}

export function readyVersions ({ versions }: Pick<ModelStatus, 'versions'>): [version: string, found: ReadyVersion][] {
  return [...versions].filter((found): found is [string, ReadyVersion] => found[1].state === 'ready')
}

/** What is wrong with a version's files as they are now, whether or not it answers from others. */
export function failureIn (state: VersionState): Failure | undefined {
  if (state.state === 'ready') return state.refused
  return state.state === 'failed' ? state : undefined
}

export function failureOf (error: unknown): Failure {
  return { reason: error instanceof ArtifactError ? error.reason : 'INTERNAL', message: (error as Error).message }
}
