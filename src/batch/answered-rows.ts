import { RunError, type Tensors, sliceRows } from '../engine/engine.ts'
import type { Session } from '../engine/graph.ts'
import type { ReadAnswers } from '../serving/answers.ts'
import { toCaller } from '../serving/run-error.ts'

/** What the model says of rows that ran; of each, either `refused` or the others. */
export interface AnsweredRows {
  readonly predictions: ArrayLike<number>
  readonly probabilities: readonly (readonly number[])[] | undefined
  /** Why the model cannot run a row's values, by its place; undefined where it ran all. */
  readonly refused: readonly (string | undefined)[] | undefined
}

export type RunRows = (inputs: Tensors, rows: number) => Promise<AnsweredRows>

/** Runs rows together, and where one row's values fail the run of all, in ever smaller parts. */
export function rowRunner (session: Pick<Session, 'run'>, readAnswers: ReadAnswers): RunRows {
  const runRows: RunRows = async (inputs, rows) => {
    try {
      const { outputs } = await session.run(inputs)
      return { ...readAnswers(outputs, rows), refused: undefined }
    } catch (error) {
      if (!(error instanceof RunError)) throw error
      if (rows === 1) return { predictions: [NaN], probabilities: undefined, refused: [(toCaller(error) as Error).message] }
      const half = rows >> 1
      return joined(await runRows(sliceRows(inputs, 0, half), half), half, await runRows(sliceRows(inputs, half, rows), rows - half), rows - half)
    }
  }
  return runRows
}

function joined (first: AnsweredRows, firstRows: number, second: AnsweredRows, secondRows: number): AnsweredRows {
  const hasTable = first.probabilities !== undefined || second.probabilities !== undefined
  const none = (rows: number): undefined[] => new Array<undefined>(rows).fill(undefined)
  return {
    predictions: [...Array.from(first.predictions), ...Array.from(second.predictions)],
    probabilities: hasTable ? [...first.probabilities ?? new Array<number[]>(firstRows).fill([]), ...second.probabilities ?? new Array<number[]>(secondRows).fill([])] : undefined,
    refused: [...first.refused ?? none(firstRows), ...second.refused ?? none(secondRows)],
  }
}
