// What answering a request costs without a server: parse, fill, run, write; in a loop, alone in its process.
import { readFileSync } from 'node:fs'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import type { Sample } from '../load.ts'
import { percentile } from '../statistics.ts'

const [modelFile = '', bodyFile = '', seconds] = process.argv.slice(2)
const features = ['sepal_length', 'sepal_width', 'petal_length', 'petal_width'] as const
const labels = ['setosa', 'versicolor', 'virginica']

type Row = { features: number[] } | Record<typeof features[number], number>

const text = readFileSync(bodyFile, 'utf8')
const session = await InferenceSession.create(modelFile, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' })

async function answer (): Promise<string> {
  const { instances } = JSON.parse(text) as { instances: Row[] }
  const rows = instances.length
  const matrix = new Float32Array(rows * 4)
  for (let i = 0; i < rows; i++) {
    const row = instances[i] as Row
    for (let k = 0; k < 4; k++) matrix[i * 4 + k] = ('features' in row ? row.features[k] : row[features[k] as typeof features[number]]) as number
  }
  const { label, probabilities } = await session.run({ X: new Tensor('float32', matrix, [rows, 4]) })
  const classes = label?.data as BigInt64Array
  const table = probabilities?.data as Float32Array
  const predictions = []
  for (let i = 0; i < rows; i++) {
    const prediction = Number(classes[i])
    const three = [table[i * 3], table[i * 3 + 1], table[i * 3 + 2]].map(shortest)
    predictions.push({ prediction, class_name: labels[prediction], probabilities: three })
  }
  return JSON.stringify({ predictions, model: { name: 'iris', version: '1.0.0' }, latency_ms: 0.21 })
}

/** Seven digits say what a float32 says: cheaper to write than the seventeen of the same number as a double. */
function shortest (value: number | undefined): number {
  return Math.round((value ?? 0) * 1e7) / 1e7
}

async function loop (ms: number): Promise<number[]> {
  const took: number[] = []
  const endMs = performance.now() + ms
  for (let startMs = performance.now(); startMs < endMs;) {
    await answer()
    const nowMs = performance.now()
    took.push(nowMs - startMs)
    startMs = nowMs
  }
  return took
}

await loop(500)
const before = process.cpuUsage()
const took = await loop(Number(seconds) * 1000)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({
  requests: took.length,
  perSecond: 1000 * took.length / took.reduce((sum, ms) => sum + ms, 0),
  cpuUs: (user + system) / took.length,
  p50Ms: percentile(took, 0.5),
  p99Ms: percentile(took, 0.99),
} satisfies Sample))
