import type { Aliases } from '../artifact/aliases.ts'
import { digestOf } from './load-version.ts'
import type { ModelStatus } from './status.ts'

/** What a process serves of a model: by version the digest of its files, null where it is not served. */
export type ModelState = 'unloaded' | { readonly aliases: Aliases, readonly versions: Readonly<Record<string, string | null>> }

/** All that a process serves: two with equal states answer alike. Plain data, for another process to come up with the same. */
export interface RepositoryState {
  readonly defaultModel: string | undefined
  readonly models: ReadonlyMap<string, ModelState>
}

export function stateOf ({ unloaded, aliases, versions }: ModelStatus): ModelState {
  if (unloaded) return 'unloaded'
  return {
    aliases,
    versions: Object.fromEntries([...versions].map(([version, found]) => [version, found.state === 'ready' ? digestOf(found.model.artifact) : null])),
  }
}
