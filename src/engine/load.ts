import type { TensorSpec } from '../tensor.ts'
import { valueCount, type Batch } from './batch.ts'
import type { Run } from './batcher.ts'
import type { Pool, PooledSession } from './pool.ts'
import { RunError, type GraphParts, type Session, type Specs } from './graph.ts'
import { openSession } from './session.ts'
import { measure, takesAnyRows, zeros, type Speed } from './warm-up.ts'

/** A run on the main thread holds up everybody, so it may take this long at most. */
export const inlineMs = 2

/** Loading a larger file would hold up the main thread, whatever its runs take. */
const maxInlineBytes = 8 * 2 ** 20

/** Where a row takes longer, sharing runs saves little, and to find out whether rows may share one takes long. */
const maxMeasuredMs = 250

/** Rows to warm up a graph of which this much is known; undefined: it must do without. */
export type WarmUp = (specs: Specs) => Batch | undefined

/** A loaded and warmed-up model. */
export interface Loaded {
  readonly specs: Specs
  /** On this thread; absent where a run would hold it up too long. */
  readonly inline: Session | undefined
  readonly pooled: PooledSession
  /** undefined: no row is known that the model runs. */
  readonly speed: Speed | undefined
  /** Rows as large as the warm-up's: what a batch costs, where the graph leaves more than the number of rows open. */
  readonly rowsWorth: (batch: Batch) => number
}

/**
 * Loads a model and decides by measuring where it runs.
 *
 * @throws Error with a short reason: the file cannot be loaded, or the warm-up rows do not run
 */
export async function load (bytes: Uint8Array, parts: GraphParts, warmUp: WarmUp, pool: Pool): Promise<Loaded> {
  const pooled = pool.session(bytes, parts)
  const light = sizeOf(bytes, parts) > maxInlineBytes ? undefined : await openLight(bytes, parts, warmUp)
  if (light !== undefined) return { specs: light.inline, pooled, ...light }
  try {
    const specs = await pooled.open()
    const rows = warmUp(specs)
    const speed = await warm(taken(specs), pooled.run, rows, maxMeasuredMs)
    return { specs, pooled, inline: undefined, speed, rowsWorth: rowsWorth(taken(specs), rows) }
  } catch (error) {
    await pooled.release()
    throw error
  }
}

/** What callers give: the columns of a preprocessor, where there is one. */
function taken ({ inputs, columns }: Specs): readonly TensorSpec[] {
  return columns ?? inputs
}

function sizeOf (bytes: Uint8Array, { externalData = new Map(), preprocessor }: GraphParts): number {
  return [...externalData.values()].reduce((sum, { length }) => sum + length, bytes.length + (preprocessor?.length ?? 0))
}

/** undefined: its runs are too long for this thread, or how long they are is not known. */
async function openLight (bytes: Uint8Array, parts: GraphParts, warmUp: WarmUp): Promise<Pick<Loaded, 'rowsWorth'> & { inline: Session, speed: Speed } | undefined> {
  const inline = await openSession(bytes, parts)
  try {
    const rows = warmUp(inline)
    const speed = await warm(taken(inline), inline.run, rows, inlineMs)
    if (speed !== undefined && speed.oneRowMs <= inlineMs) return { inline, speed, rowsWorth: rowsWorth(taken(inline), rows) }
  } catch (error) {
    await inline.release()
    throw error
  }
  await inline.release()
  return undefined
}

async function warm (inputs: readonly TensorSpec[], run: Run, warmUp: Batch | undefined, heavyMs: number): Promise<Speed | undefined> {
  try {
    return await measure(run, warmUp ?? zeros(inputs), takesAnyRows(inputs), heavyMs)
  } catch (error) {
    if (!(error instanceof RunError)) throw error
    // Zeros were only a guess.
    if (warmUp === undefined) return undefined
    throw new Error(`the warm-up rows do not run: ${error.message}`, { cause: error })
  }
}

function rowsWorth (inputs: readonly TensorSpec[], warmUp: Batch | undefined): (batch: Batch) => number {
  const fixedWidth = takesAnyRows(inputs) &&
    inputs.every(({ shape }) => shape.slice(1).every(size => typeof size === 'number' && size >= 0))
  if (fixedWidth) return ({ rows }) => rows
  const sample = warmUp ?? zeros(inputs)
  const valuesPerRow = Math.max(1, valueCount(sample) / Math.max(1, sample.rows))
  return batch => valueCount(batch) / valuesPerRow
}
