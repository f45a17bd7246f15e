import { random } from '../src/training/random.ts'

/** Chance that can be repeated. No sine or cosine is in it: their last digit differs between versions of Node.js. */
export interface Dice {
  /** A whole number from 0 to n - 1. */
  below: (n: number) => number
  /** From 0, to less than 1. */
  unit: () => number
  chance: (probability: number) => boolean
  /** Mean 1. */
  exponential: () => number
  /** Nearly so: mean 0, variance 1, never beyond 6. */
  normal: () => number
}

/** Another `stream` of the same seed is independent of it. */
export function makeDice (seed: number, stream: number): Dice {
  const { below } = random(seed, stream)
  const unit = (): number => below(2 ** 32) / 2 ** 32
  return {
    below,
    unit,
    chance: probability => unit() < probability,
    exponential: () => -Math.log(1 - unit()),
    normal: () => {
      let sum = -6
      for (let i = 0; i < 12; i++) sum += unit()
      return sum
    },
  }
}
