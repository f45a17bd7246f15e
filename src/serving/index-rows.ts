import type { ModelEntry } from '../artifact/store.ts'
import type { ModelStatus, VersionState } from './status.ts'

/** A version in the index of the repository, in the words of the Open Inference Protocol. */
export interface IndexRow {
  readonly name: string
  readonly version: string
  readonly state: 'READY' | 'UNAVAILABLE' | 'LOADING' | 'UNLOADING'
  /** Empty where there is nothing to tell. */
  readonly reason: string
}

/**
 * What is loaded and, after that, what stands in the repository beside it.
 *
 * @param isLoading true of models that are being read again
 */
export function indexRows (loaded: readonly ModelStatus[], listed: readonly ModelEntry[], isLoading: (name: string) => boolean): IndexRow[] {
  const known = new Map(loaded.map(status => [status.name, status]))
  const names = [...new Set([...known.keys(), ...listed.map(({ name }) => name)])].sort()
  return names.flatMap(name => {
    const its = known.get(name)?.versions ?? new Map<string, VersionState>()
    const others = listed.find(model => model.name === name)?.versions.filter(version => !its.has(version)) ?? []
    return [
      ...[...its].map(([version, state]): IndexRow => ({ name, version, ...tell(state, isLoading(name)) })),
      ...others.map((version): IndexRow => ({ name, version, ...absent(isLoading(name), 'not loaded') })),
    ]
  })
}

function tell (found: VersionState, isLoading: boolean): Pick<IndexRow, 'state' | 'reason'> {
  switch (found.state) {
    case 'pending':
    case 'loading': return { state: 'LOADING', reason: '' }
    case 'ready': return { state: 'READY', reason: found.refused === undefined ? '' : `its present files are not served: ${found.refused.reason}: ${found.refused.message}` }
    case 'unloading': return { state: 'UNLOADING', reason: '' }
    case 'unloaded': return absent(isLoading, 'unloaded')
    case 'failed': return absent(isLoading, `${found.reason}: ${found.message}`)
    default: return found satisfies never
  }
}

function absent (isLoading: boolean, reason: string): Pick<IndexRow, 'state' | 'reason'> {
  return isLoading ? { state: 'LOADING', reason: '' } : { state: 'UNAVAILABLE', reason }
}
