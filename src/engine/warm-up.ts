import type { Tensor, TensorSpec } from '../tensor.ts'
import { allocate, followsRows, isSame, rowWidth, sliceRows, type Batch } from './batch.ts'
import { type Answer, RunError, type Tensors } from './graph.ts'

/** What a warm-up measured: a run of n rows takes about oneRowMs + (n - 1) × perRowMs. */
export interface Speed {
  readonly oneRowMs: number
  readonly perRowMs: number
  /** True where rows that run together were seen to answer as each does alone: requests may share a run. */
  readonly gathers: boolean
}

type Run = (inputs: Tensors) => Promise<Answer>

/** Even, odd, and with remainders in the blocks that matrix kernels work in. */
const triedRows = [2, 3, 7, 16, 64]

/** The first run sets the graph up and a shared machine hiccups, so the best of a few runs counts. */
const rounds = 5
const patienceMs = 50

/** True when the graph lets the caller choose the first dimension of every input. */
export function takesAnyRows (inputs: readonly TensorSpec[]): boolean {
  return inputs.length > 0 && inputs.every(({ shape: [rows] }) => typeof rows === 'string' || rows === -1)
}

/** Zeros and empty strings in the least shape that the graph allows: to warm up a model of which no row is known. */
export function zeros (inputs: readonly TensorSpec[]): Batch {
  const tensors = inputs.map(({ name, type, shape }): [string, Tensor] => {
    const sizes = shape.map(size => typeof size === 'number' && size >= 0 ? size : 1)
    return [name, { type, shape: sizes, data: allocate(type, sizes.reduce((product, size) => product * size, 1)) }]
  })
  return { inputs: Object.fromEntries(tensors), rows: tensors[0]?.[1].shape[0] ?? 1 }
}

/**
 * Warms a session up, times it, and finds out whether rows are independent: what they give together
 * must be bit by bit what each gives alone. What a graph declares is no evidence of that.
 *
 * @param sample   rows to run; more are made from them
 * @param anyRows  false: the sample is run as it is, and rows never share a run
 * @param heavyMs  one run longer than this is all that is measured
 * @throws RunError when the sample itself does not run
 */
export async function measure (run: Run, sample: Batch, anyRows: boolean, heavyMs: number): Promise<Speed> {
  const least = anyRows ? grow(sample, 1) : sample
  const leastMs = await bestMs(run, least)
  const oneRowMs = leastMs / Math.max(1, least.rows)
  const alone: Tensors[] = []
  let perRowMs = oneRowMs
  if (!anyRows || leastMs > heavyMs) return { oneRowMs, perRowMs, gathers: false }
  for (const rows of triedRows) {
    if (rows > 2 && rows * oneRowMs > patienceMs) break
    const batch = grow(sample, rows)
    if (!await isIndependent(run, batch, alone)) return { oneRowMs, perRowMs: oneRowMs, gathers: false }
    perRowMs = Math.max(0, await bestMs(run, batch) - oneRowMs) / (rows - 1)
  }
  return { oneRowMs, perRowMs, gathers: true }
}

async function bestMs (run: Run, { inputs }: Batch): Promise<number> {
  let best = Infinity
  for (let round = 0, spentMs = 0; round < rounds && spentMs < patienceMs; round++) {
    const { runMs } = await run(inputs)
    spentMs += runMs
    best = Math.min(best, runMs)
  }
  return best
}

/** @param alone  what each row answered alone, filled as needed and kept for the next size */
async function isIndependent (run: Run, { inputs, rows }: Batch, alone: Tensors[]): Promise<boolean> {
  try {
    const { outputs } = await run(inputs)
    if (!followsRows(outputs, rows)) return false
    for (let row = 0; row < rows; row++) {
      alone[row] ??= (await run(sliceRows(inputs, row, row + 1))).outputs
      if (!isSame(sliceRows(outputs, row, row + 1), alone[row] as Tensors)) return false
    }
    return true
  } catch (error) {
    if (error instanceof RunError) return false
    throw error
  }
}

/** The sample's rows again and again, numbers a little different each time round: equal rows would hide that they mix. */
function grow (sample: Batch, rows: number): Batch {
  const inputs = Object.entries(sample.inputs).map(([name, { type, shape, data }]): [string, Tensor] => {
    const width = rowWidth(shape)
    const grown = Array.from({ length: rows * width }, (_, i) =>
      vary(type, data[i % data.length] as string | number | bigint, Math.floor(i / data.length)))
    return [name, { type, shape: [rows, ...shape.slice(1)], data: fill(type, grown) }]
  })
  return { inputs: Object.fromEntries(inputs), rows }
}

/** Integers change in their last bit only, since they may be places in a table. */
function vary (type: Tensor['type'], value: string | number | bigint, round: number): string | number | bigint {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint') return value ^ BigInt(round % 2)
  return type === 'float32' || type === 'float64' ? value + round / 16 : value ^ (round % 2)
}

function fill (type: Tensor['type'], values: readonly (string | number | bigint)[]): Tensor['data'] {
  if (type === 'string') return values as string[]
  const data = allocate(type, values.length) as Float32Array
  data.set(values as number[])
  return data
}
