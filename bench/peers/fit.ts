// Fits one model on the rows of two binary files and prints as JSON how long that took: a process of its own, the same as fit.py.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Crew } from '../../src/training/crew.ts'
import { predictClasses } from '../../src/training/forest.ts'
import { fit, type Learner } from '../../src/training/learner.ts'
import { type Matrix, selectRows, selectTarget, type Target } from '../../src/training/matrix.ts'

const [folder = '', columnsText, algorithm, treesText, threads] = process.argv.slice(2)
const columns = Number(columnsText)
const x = readFileSync(join(folder, 'x.f32'))
const y = readFileSync(join(folder, 'y.i32'))
const classes = new Int32Array(y.buffer, y.byteOffset, y.length / 4)
const matrix: Matrix = { data: new Float32Array(x.buffer, x.byteOffset, x.length / 4), rows: classes.length, columns }
const target: Target = { kind: 'classes', classes, count: 2 }

function learner (trees: number): Learner {
  return algorithm === 'random-forest'
    ? { algorithm, params: { trees, maxDepth: 16, minSamplesLeaf: 1, maxFeatures: 'sqrt', bootstrap: true } }
    : { algorithm: 'gradient-boosting', params: { trees, learningRate: 0.1, maxLeaves: 31, maxDepth: 64, minSamplesLeaf: 20, l2: 0, subsample: 1, colsample: 1, validation: 0, patience: 10 } }
}

const crew = Number(threads) === 1 ? undefined : new Crew(Number(threads))
const few = Int32Array.from({ length: 1000 }, (_, row) => row)
// Threads are up, and what is loaded at the first use is loaded.
await fit(learner(2), selectRows(matrix, few), selectTarget(target, few), 1, { crew })

const before = process.resourceUsage().maxRSS
const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()]
const model = await fit(learner(Number(treesText)), matrix, target, 1, { crew })
const [seconds, { user, system }] = [(performance.now() - startedMs) / 1000, process.cpuUsage(startedCpu)]
const addedMb = (process.resourceUsage().maxRSS - before) * 1024 / 1e6
await crew?.close()
const right = predictClasses(model.predict(matrix), 2).filter((k, row) => k === classes[row]).length
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, addedMb, accuracy: right / classes.length }))
