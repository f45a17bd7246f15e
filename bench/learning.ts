import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { predictClasses } from '../src/training/forest.ts'
import { fit, type Learner } from '../src/training/learner.ts'
import { type Matrix, selectRows, selectTarget, type Target } from '../src/training/matrix.ts'
import { regressionMetrics } from '../src/training/metrics.ts'

/** The same as in peers/learn.py. */
const forest = { trees: 100, maxDepth: 16, minSamplesLeaf: 1, bootstrap: true }
const boosting = {
  trees: 100, learningRate: 0.1, maxLeaves: 31, maxDepth: 64, minSamplesLeaf: 20, l2: 0, subsample: 1, colsample: 1, validation: 0, patience: 10,
}
const seeds = 3

/** Mean 5-fold scores beside scikit-learn's, over the same folds: `npx tsx bench/learning.ts` */
const folder = mkdtempSync(join(tmpdir(), 'modelport-learning-'))
try {
  const script = join(import.meta.dirname, 'peers', 'learn.py')
  const peers = JSON.parse(execFileSync('/usr/bin/python3', [script, folder, String(seeds)], { encoding: 'utf8' })) as Record<string, Record<Learner['algorithm'], number> & { kind: Target['kind'] }>
  for (const [name, { kind, ...scores }] of Object.entries(peers)) {
    const data = read(join(folder, `${name}.csv`), kind)
    const learners: [Learner, number][] = [
      [{ algorithm: 'random-forest', params: { ...forest, maxFeatures: kind === 'classes' ? 'sqrt' : 'all' } }, seeds],
      [{ algorithm: 'gradient-boosting', params: boosting }, 1],
    ]
    for (const [learner, runs] of learners) {
      const score = await meanScore(data, learner, runs)
      const peer = scores[learner.algorithm]
      process.stdout.write(`${name.padEnd(9)} ${learner.algorithm.padEnd(18)} ${score.toFixed(4)}  scikit-learn ${peer.toFixed(4)}  ${(score - peer).toFixed(4)}\n`)
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}

interface Data { readonly matrix: Matrix, readonly target: Target, readonly folds: readonly number[] }

/** Columns, then the target, then the fold. */
function read (file: string, kind: Target['kind']): Data {
  const rows = readFileSync(file, 'utf8').trim().split('\n').map(line => line.split(',').map(Number))
  const columns = rows[0]!.length - 2
  const wanted = rows.map(row => row[columns]!)
  return {
    matrix: { data: Float32Array.from(rows.flatMap(row => row.slice(0, columns))), rows: rows.length, columns },
    target: kind === 'values'
      ? { kind, values: Float64Array.from(wanted) }
      : { kind, classes: Int32Array.from(wanted), count: Math.max(...wanted) + 1 },
    folds: rows.map(row => row.at(-1)!),
  }
}

async function meanScore ({ matrix, target, folds }: Data, learner: Learner, runs: number): Promise<number> {
  const scores: number[] = []
  for (const fold of new Set(folds)) {
    const rows = [...folds.keys()]
    const train = rows.filter(row => folds[row] !== fold)
    const held = rows.filter(row => folds[row] === fold)
    for (let seed = 0; seed < runs; seed++) {
      const model = await fit(learner, selectRows(matrix, train), selectTarget(target, train), seed)
      scores.push(score(selectTarget(target, held), model.predict(selectRows(matrix, held))))
    }
  }
  return scores.reduce((sum, score) => sum + score, 0) / scores.length
}

/** Accuracy, or R². */
function score (target: Target, answers: Float32Array): number {
  if (target.kind === 'values') return regressionMetrics(target.values, answers).r2
  const classes = predictClasses(answers, target.count)
  return classes.filter((k, row) => k === target.classes[row]).length / classes.length
}
