import { type Batch, type Engine, RunError, type RunOptions, type RunResult, type Tensors, joinRows, sliceRows } from '../engine/engine.ts'

/** True for a graph that takes exactly one row, as an export without an open dimension does. */
export function takesOneRow ({ inputs, columns }: Pick<Engine, 'inputs' | 'columns'>): boolean {
  return (columns ?? inputs).every(({ shape }) => shape.length > 1 && shape[0] === 1)
}

/** The same engine for callers with several rows: each has a run of its own. */
export function rowByRow (engine: Engine): Engine {
  return { ...engine, run: (batch, options) => batch.rows > 1 ? runEach(engine, batch, options) : engine.run(batch, options) }
}

async function runEach (engine: Engine, { inputs, rows }: Batch, options: RunOptions | undefined): Promise<RunResult> {
  const results = await Promise.all(Array.from({ length: rows }, (_, row) => engine.run({ inputs: sliceRows(inputs, row, row + 1), rows: 1 }, options)))
  return {
    outputs: joinRows(results.map(({ outputs }) => checked(outputs)) as [Tensors, ...Tensors[]]),
    queueMs: Math.min(...results.map(({ queueMs }) => queueMs)),
    runMs: results.reduce((sum, { runMs }) => sum + runMs, 0),
  }
}

function checked (outputs: Tensors): Tensors {
  for (const [name, { shape }] of Object.entries(outputs)) {
    if (shape[0] !== 1) throw new RunError(`the output "${name}" of one row has the shape [${shape.join(', ')}]`)
  }
  return outputs
}
