import { type Params, parseParams } from '../training/training-file.ts'
import { UsageError } from './verb.ts'

export interface ParamFlags {
  readonly trees?: number | undefined
  readonly maxDepth?: number | undefined
  /** Lists of name=value. */
  readonly params?: readonly string[] | undefined
  readonly 'class-weight'?: string | undefined
}

/**
 * What the flags say of the algorithm's params; those with a flag of their own come first.
 *
 * @throws UsageError naming the flag, and what it takes
 */
export function readParams ({ trees, maxDepth, params = [], 'class-weight': classWeight }: ParamFlags): Params {
  if (classWeight !== undefined && classWeight !== 'balanced') throw new UsageError(`--class-weight must be balanced, not ${JSON.stringify(classWeight)}`)
  const listed = Object.fromEntries(params.flatMap(list => list.split(',')).map(readPair))
  try {
    return parseParams({
      ...listed,
      ...(trees === undefined ? {} : { trees }),
      ...(maxDepth === undefined ? {} : { maxDepth }),
      ...(classWeight === undefined ? {} : { classWeight }),
    })
  } catch (error) {
    throw new UsageError(`--${(error as Error).message}`)
  }
}

function readPair (pair: string): [string, unknown] {
  const [, name, value] = /^\s*(\w+)\s*=\s*(\S+)\s*$/.exec(pair) ?? []
  if (name === undefined || value === undefined) throw new UsageError(`--params takes NAME=VALUE,NAME=VALUE, not ${JSON.stringify(pair)}`)
  if (value === 'true' || value === 'false') return [name, value === 'true']
  return [name, Number.isNaN(Number(value)) ? value : Number(value)]
}
