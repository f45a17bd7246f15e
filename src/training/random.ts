/** A stream of pseudo-random numbers that is the same on every machine. */
export interface Random {
  /** A whole number from 0 to n - 1. */
  below: (n: number) => number
}

/**
 * The generator sfc32 (Chris Doty-Humphrey's "small fast counting", 128 bits of state). Another
 * `stream` of the same seed is independent of it, so that trees and folds can be made in any order.
 *
 * @param seed a whole number; what is beyond 32 bits does not count
 */
export function random (seed: number, stream = 0): Random {
  let a = seed | 0
  let b = stream | 0
  let c = 0x9e3779b9 | 0
  let counter = 1

  function next (): number {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum | 0
    return sum >>> 0
  }

  // Seed and stream have reached every bit of the state after a few rounds.
  for (let round = 0; round < 15; round++) next()
  return { below: n => Math.floor(next() / 2 ** 32 * n) }
}

/** Shuffles in place (Fisher and Yates). */
export function shuffle (list: { [index: number]: number, readonly length: number }, source: Random): void {
  for (let i = list.length - 1; i > 0; i--) {
    const j = source.below(i + 1)
    const kept = list[i]!
    list[i] = list[j]!
    list[j] = kept
  }
}
