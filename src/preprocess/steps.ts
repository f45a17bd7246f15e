import type { Step } from './spec.ts'

export type NumericStep =
  | { op: 'impute', value: number }
  | { op: 'clip', min: number, max: number }
  | { op: 'log1p' }
  | { op: 'scale', shift: number, divisor: number }
  | { op: 'bucketize', edges: readonly number[] }

/** @param value NaN is missing, and stays so until an impute step */
export function applySteps (steps: readonly NumericStep[], value: number): number {
  let x = value
  for (const step of steps) {
    switch (step.op) {
      case 'impute': if (Number.isNaN(x)) x = step.value; break
      case 'clip': x = x < step.min ? step.min : x > step.max ? step.max : x; break
      case 'log1p': x = Math.log1p(x); break
      case 'scale': x = (x - step.shift) / step.divisor; break
      case 'bucketize': x = bucket(step.edges, x); break
      default: step satisfies never
    }
  }
  return x
}

/** How many edges are at or below x; a missing value stays missing. */
function bucket (edges: readonly number[], x: number): number {
  if (Number.isNaN(x)) return x
  let count = 0
  for (const edge of edges) if (x >= edge) count++
  return count
}

/** @throws Error with the step's path */
export function numericSteps (steps: readonly Step[], path: string, first: number): NumericStep[] {
  return steps.map((step, i) => numericStep(step, `${path}/steps/${first + i}`))
}

function numericStep (step: Step, path: string): NumericStep {
  if ('impute' in step) return { op: 'impute', value: requireNumber(step.impute, path) }
  if ('clip' in step) return clipStep(step.clip, path)
  if ('log1p' in step) return { op: 'log1p' }
  if ('standardize' in step) return scaleStep(step.standardize.mean, step.standardize.scale, path)
  if ('minmax' in step) return minmaxStep(step.minmax, path)
  if ('bucketize' in step) return bucketizeStep(step.bucketize, path)
  throw new Error(`${path}: a column has one oneHot or ordinal step at most`)
}

function clipStep ([min, max]: readonly [number, number], path: string): NumericStep {
  if (min > max) throw new Error(`${path}: the lower limit of clip is above the upper one`)
  return { op: 'clip', min, max }
}

function scaleStep (shift: number, divisor: number, path: string): NumericStep {
  if (divisor === 0 || !Number.isFinite(divisor)) throw new Error(`${path}: the scale must be a number other than 0`)
  return { op: 'scale', shift, divisor }
}

function minmaxStep ({ min, max }: { min: number, max: number }, path: string): NumericStep {
  if (min >= max) throw new Error(`${path}: the min of minmax must be below its max`)
  return scaleStep(min, max - min, path)
}

function bucketizeStep (edges: readonly number[], path: string): NumericStep {
  if (edges.some((edge, i) => i > 0 && edge <= (edges[i - 1] ?? edge))) throw new Error(`${path}: the edges must ascend`)
  return { op: 'bucketize', edges }
}

function requireNumber (value: number | string | boolean, path: string): number {
  if (typeof value !== 'number') throw new Error(`${path}: ${JSON.stringify(value)} is not a number, as this column needs`)
  return value
}
