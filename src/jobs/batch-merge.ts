import type { Place } from './place.ts'
import { type PartStatus, type Plan, type ScoredPart, manifestKey, readStatus, writeJson } from './run-files.ts'

/** manifest.json of a run: what came of every file. */
export interface RunManifest extends Omit<Plan, 'parts'> {
  /** Whether every part was scored. */
  readonly complete: boolean
  readonly rows: number
  readonly predicted: number
  readonly rejected: number
  readonly parts: readonly ScoredPart[]
  readonly failed: readonly { readonly part: string, readonly inputs: readonly string[], readonly error: string }[]
}

/** Statuses that are read at once. */
const width = 64

/** Adds up what became of the parts, and writes that down. Called again later, it sees what has been scored since. */
export async function mergeBatch (run: Place, plan: Plan): Promise<RunManifest> {
  const statuses: (PartStatus | undefined)[] = []
  for (let at = 0; at < plan.parts.length; at += width) {
    statuses.push(...await Promise.all(plan.parts.slice(at, at + width).map(({ part }) => readStatus(run, part))))
  }
  const parts = statuses.filter(status => status !== undefined && !('error' in status)) as ScoredPart[]
  const failed = plan.parts.flatMap(({ part, files }, i) => {
    const status = statuses[i]
    if (status !== undefined && !('error' in status)) return []
    // Whoever was ended from outside could write no reason.
    return [{ part, inputs: files.map(({ key }) => key), error: status?.error ?? 'it was ended before it could say why, or never begun' }]
  })
  const manifest: RunManifest = {
    ...plan,
    complete: failed.length === 0,
    rows: sum(parts, part => part.rows),
    predicted: sum(parts, part => part.predicted),
    rejected: sum(parts, part => part.rejected),
    parts,
    failed,
  }
  await writeJson(run, manifestKey, manifest)
  return manifest
}

function sum<T> (items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0)
}
