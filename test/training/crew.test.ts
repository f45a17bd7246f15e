import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { boostToOnnx } from '../../src/training/boost-export.ts'
import { type BoostParams, fitBoost } from '../../src/training/boost.ts'
import { Crew } from '../../src/training/crew.ts'
import { forestToOnnx } from '../../src/training/export.ts'
import { type ForestParams, fitForest } from '../../src/training/forest.ts'
import type { Matrix, Target } from '../../src/training/matrix.ts'
import { random } from '../../src/training/random.ts'

const crews = [new Crew(1), new Crew(3)] as const

afterAll(async () => {
  await Promise.all(crews.map(crew => crew.close()))
})

const cell = fc.oneof({ weight: 9, arbitrary: fc.integer({ min: -20, max: 20 }) }, { weight: 1, arbitrary: fc.constant(NaN) })
const tables = fc.integer({ min: 1, max: 7 }).chain(columns => fc.array(
  fc.array(cell, { minLength: columns, maxLength: columns }), { minLength: 5, maxLength: 80 }
)).map((rows): Matrix => ({ data: Float32Array.from(rows.flat()), rows: rows.length, columns: rows[0]!.length }))

const problems = tables.chain(matrix => fc.record({
  matrix: fc.constant(matrix),
  seed: fc.nat(),
  target: fc.oneof(
    fc.integer({ min: 2, max: 4 }).chain(count => fc.array(fc.nat(count - 1), { minLength: matrix.rows, maxLength: matrix.rows })
      .map((classes): Target => ({ kind: 'classes', classes: Int32Array.from(classes), count }))),
    fc.array(fc.integer({ min: -50, max: 50 }), { minLength: matrix.rows, maxLength: matrix.rows })
      .map((values): Target => ({ kind: 'values', values: Float64Array.from(values) }))
  ),
}))

describe('the bytes of a model are the same with one thread, with three, and without any', () => {
  test('forests', async () => {
    const settings = fc.record({
      trees: fc.integer({ min: 1, max: 12 }),
      maxDepth: fc.integer({ min: 1, max: 8 }),
      minSamplesLeaf: fc.integer({ min: 1, max: 3 }),
      maxFeatures: fc.constantFrom('all' as const, 'sqrt' as const),
      bootstrap: fc.boolean(),
      classWeight: fc.constantFrom(undefined, 'balanced' as const),
    })
    await fc.assert(fc.asyncProperty(problems, settings, async ({ matrix, target, seed }, params) => {
      const bytes = forestToOnnx(fitForest(matrix, target, params, seed))
      for (const crew of crews) expect(forestToOnnx(await crew.fitForest(matrix, target, params, seed))).toEqual(bytes)
    }), { numRuns: 30 })
  })

  test('boosting', async () => {
    const share = fc.constantFrom(0.4, 1)
    const settings = fc.record({
      trees: fc.integer({ min: 1, max: 12 }),
      learningRate: fc.constantFrom(0.1, 1),
      maxLeaves: fc.integer({ min: 2, max: 9 }),
      maxDepth: fc.integer({ min: 1, max: 6 }),
      minSamplesLeaf: fc.integer({ min: 1, max: 3 }),
      l2: fc.constantFrom(0, 1),
      subsample: share,
      colsample: share,
      validation: fc.constantFrom(0, 0.3),
      patience: fc.constant(3),
      classWeight: fc.constantFrom(undefined, 'balanced' as const),
    })
    await fc.assert(fc.asyncProperty(problems, settings, async ({ matrix, target, seed }, params) => {
      const bytes = boostToOnnx(fitBoost(matrix, target, params, seed))
      for (const crew of crews) expect(boostToOnnx(await crew.fitBoost(matrix, target, params, seed))).toEqual(bytes)
    }), { numRuns: 30 })
  })
})

const forest: ForestParams = { trees: 20, maxDepth: 4, minSamplesLeaf: 1, maxFeatures: 'sqrt', bootstrap: true }
const boosting: BoostParams = {
  trees: 20, learningRate: 0.1, maxLeaves: 8, maxDepth: 8, minSamplesLeaf: 1, l2: 0, subsample: 1, colsample: 1, validation: 0, patience: 10,
}

function noise (): { matrix: Matrix, target: Target } {
  const source = random(3)
  return {
    matrix: { data: Float32Array.from({ length: 2000 }, () => source.below(100)), rows: 500, columns: 4 },
    target: { kind: 'values', values: Float64Array.from({ length: 500 }, () => source.below(100)) },
  }
}

test('every tree and every round is told of, in order', async () => {
  const { matrix, target } = noise()
  const told: number[][] = [[], []]
  await crews[1].fitForest(matrix, target, forest, 1, done => told[0]!.push(done))
  await crews[1].fitBoost(matrix, target, boosting, 1, done => told[1]!.push(done))
  const all = Array.from({ length: 20 }, (_, i) => i + 1)
  expect(told).toEqual([all, all])
})

/** A crew one of whose threads is not what it should be. */
function flawed (code: string): Crew {
  const whole = crewThread()
  let started = 0
  return new Crew(3, () => started++ === 1 ? new Worker(code, { eval: true }) : whole())
}

function crewThread (): () => Worker {
  const [tsx, source] = [import.meta.resolve('tsx/esm/api'), new URL('../../src/training/training-worker.ts', import.meta.url).href]
  return () => new Worker(`import('${tsx}').then(({ register }) => { register(); return import('${source}') })`, { eval: true, execArgv: [] })
}

const deaths = {
  'is killed': 'require("node:worker_threads").parentPort.on("message", () => process.exit(9))',
  throws: 'require("node:worker_threads").parentPort.on("message", () => { throw new Error("no more") })',
  'never comes up': 'throw new Error("cannot start")',
}

describe.each(Object.entries(deaths))('a thread that %s is an error that says so, though others wait for it', (_, code) => {
  test('while trees are grown', async () => {
    const { matrix, target } = noise()
    const crew = flawed(code)
    await expect(crew.fitForest(matrix, target, forest, 1)).rejects.toThrow(/^A training thread has ended before its work was done \((exit code 9|no more|cannot start)\)/)
    await crew.close()
  })

  test('while all boost in step; the next work is done by new threads', async () => {
    const { matrix, target } = noise()
    const crew = flawed(code)
    await expect(crew.fitBoost(matrix, target, boosting, 1)).rejects.toThrow('A training thread has ended')
    expect(boostToOnnx(await crew.fitBoost(matrix, target, boosting, 1))).toEqual(boostToOnnx(fitBoost(matrix, target, boosting, 1)))
    await crew.close()
  })
})
