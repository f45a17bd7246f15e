import { sortVersions } from '../artifact/names.ts'
import { type Entry, candidates, failureIn, newEntry, productionFault, readyVersions } from './entry.ts'
import type { FoundModel, FoundVersion } from './find-model.ts'
import type { Failure, ModelStatus, VersionState } from './status.ts'

/**
 * What a model becomes. A version whose new files cannot be served keeps those that it has; and if no
 * version could answer for the name any more, the one that does stays, aliases and all.
 *
 * @param refused versions that another process of the service could not open
 */
export function settle (name: string, current: ModelStatus | undefined, found: FoundModel, refused: ReadonlyMap<string, Failure>): Entry {
  const next: Entry = { ...newEntry(name, []), isDefault: current?.isDefault ?? false, aliases: found.aliases }
  for (const [version, its] of found.versions) {
    next.versions.set(version, stateOf(its, current?.versions.get(version), refused.get(version)))
  }
  next.fault = found.aliasFault ?? emptyFault(found) ?? productionFault(found.aliases, found.versions)
  next.serving = next.fault === undefined ? candidates(next).find(version => next.versions.get(version)?.state === 'ready') : undefined
  return next.serving === undefined && current?.serving !== undefined ? goOnAnswering(next, current) : next
}

/** Why a load was not all that was asked for, one text each. */
export function faultsOf ({ fault, versions }: ModelStatus): string[] {
  return [
    ...(fault === undefined ? [] : [`${fault.reason}: ${fault.message}`]),
    ...[...versions].flatMap(([version, state]) => {
      const failure = failureIn(state)
      return failure === undefined ? [] : [`${version}: ${failure.reason}: ${failure.message}`]
    }),
  ]
}

function stateOf (found: FoundVersion, before: VersionState | undefined, refused: Failure | undefined): VersionState {
  const failure = found.kind === 'failed' ? found.failure : refused
  if (failure === undefined && found.kind !== 'failed') return { ...found.ready, refused: undefined }
  const { reason, message } = failure as Failure
  return before?.state === 'ready' ? { ...before, refused: { reason, message } } : { state: 'failed', reason, message }
}

function emptyFault ({ versions }: FoundModel): Failure | undefined {
  return versions.size > 0 ? undefined : { reason: 'MISSING_FILE', message: 'the model has no version in the repository any more' }
}

function goOnAnswering (next: Entry, current: ModelStatus): Entry {
  const gone: [string, VersionState][] = readyVersions(current).filter(([version]) => !next.versions.has(version))
    .map(([version, ready]) => [version, { ...ready, refused: { reason: 'MISSING_FILE', message: 'the version is no longer in the repository' } }])
  const versions = new Map<string, VersionState>([...next.versions, ...gone])
  const [production] = candidates(next)
  const unserved = Object.hasOwn(next.aliases, 'production') ? { reason: 'BAD_ALIASES', message: `aliases.json: production is "${production}", which cannot be served` } : undefined
  return {
    ...next,
    aliases: current.aliases,
    serving: current.serving,
    fault: next.fault ?? unserved,
    versions: new Map(sortVersions([...versions.keys()]).map(version => [version, versions.get(version) as VersionState])),
  }
}
