import type { Refusal } from '../peers.ts'
import type { Failure, Proposal } from './messages.ts'

/** What all processes can do: versions that one of them could not open stay as they are in all. */
export type Agreement = { readonly refused: ReadonlyMap<string, Failure> } | Refusal

/** One repository, read by several: what one could not do none does. */
export function agree (model: string, proposals: readonly (Proposal | Refusal)[]): Agreement {
  const refusal = proposals.find((proposal): proposal is Refusal => 'code' in proposal)
  if (refusal !== undefined) return refusal
  const [first, ...others] = proposals as readonly Proposal[]
  if (first === undefined) return { code: 'MODEL_NOT_READY', message: 'No server process is left that could do it; try again.', headers: { 'retry-after': '1' } }
  if (others.some(other => !isSame(first, other))) {
    return { code: 'LOAD_FAILED', message: `The files of ${model} changed while they were being read, so that nothing was changed; load it again.` }
  }
  const refused = new Map<string, Failure>()
  for (const { versions } of [first, ...others]) {
    for (const [version, found] of versions) {
      if (typeof found !== 'string' && !refused.has(version)) refused.set(version, found)
    }
  }
  return { refused }
}

/** A version that one could open and another could not may still be the same. */
function isSame (one: Proposal, other: Proposal): boolean {
  if (one.aliases !== other.aliases || one.versions.size !== other.versions.size) return false
  return [...one.versions].every(([version, found]) => {
    const its = other.versions.get(version)
    return its !== undefined && (typeof found !== 'string' || typeof its !== 'string' || found === its)
  })
}
