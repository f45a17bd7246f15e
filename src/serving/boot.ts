import { parseAliases } from '../artifact/aliases.ts'
import { ArtifactError } from '../artifact/artifact-error.ts'
import type { ModelEntry } from '../artifact/store.ts'
import { FatalError } from '../errors.ts'
import { type Entry, candidates, failureOf, newEntry, productionFault } from './entry.ts'
import { type Workshop, loadVersion } from './load-version.ts'
import type { ModelState } from './same-set.ts'
import type { Failure, ModelStatus } from './status.ts'

/**
 * A model as the repository lists it, nothing of it loaded yet.
 *
 * @param resumed what the other processes serve of it; unset: all that is there
 */
export async function describeModel (workshop: Workshop, { name, versions }: ModelEntry, resumed: ModelState | undefined): Promise<Entry> {
  if (resumed === 'unloaded') return newEntry(name, versions, 'unloaded')
  const entry = newEntry(name, resumed === undefined ? versions : versions.filter(version => Object.hasOwn(resumed.versions, version)))
  try {
    entry.aliases = resumed?.aliases ?? parseAliases(await workshop.store.aliases(name))
  } catch (error) {
    blame(workshop, entry, failureOf(error))
  }
  return entry
}

/** `production` answers, or nothing does; without it the latest version that can be served. */
export async function bootServing (workshop: Workshop, entry: Entry): Promise<void> {
  if (entry.unloaded || entry.fault !== undefined) return
  const fault = productionFault(entry.aliases, entry.versions)
  if (fault !== undefined) {
    blame(workshop, entry, fault)
    return
  }
  for (const version of candidates(entry)) {
    if (await bootVersion(workshop, entry, version, () => { entry.serving = version })) return
  }
}

/** @param serving is called before anybody is told that the version has loaded */
export async function bootVersion (workshop: Workshop, entry: Entry, version: string, serving?: () => void): Promise<boolean> {
  const before = entry.versions.get(version)
  if (before?.state !== 'pending') return before?.state === 'ready'
  entry.versions.set(version, { state: 'loading' })
  try {
    const ready = await loadVersion(workshop, entry.name, version)
    entry.versions.set(version, ready)
    serving?.()
    workshop.events.loaded(ready.model, entry)
    return true
  } catch (error) {
    entry.versions.set(version, { state: 'failed', ...failureOf(error) })
    workshop.events.failed(entry, version, error as Error)
    return false
  }
}

/** @throws FatalError when the default model can answer nothing, unless an operator wanted that */
export function refuseUnservable ({ name, serving, fault, unloaded, versions }: ModelStatus): void {
  if (serving !== undefined || unloaded) return
  const failures = [...versions].map(([version, found]) => `${version}: ${found.state === 'failed' ? `${found.reason}: ${found.message}` : found.state}`)
  throw new FatalError(`The default model ${name} cannot be served: ${[...(fault === undefined ? [] : [fault.message]), ...failures].join('; ') || 'it has no version'}`)
}

function blame ({ events }: Workshop, entry: Entry, fault: Failure): void {
  entry.fault = fault
  events.failed(entry, undefined, new ArtifactError('BAD_ALIASES', fault.message))
}
