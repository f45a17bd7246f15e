// What the run of a model takes on a float32 tensor, in a loop, alone in its process. Prints the median in milliseconds.
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { percentile } from '../statistics.ts'

const [modelFile = '', shapeText = '', seconds] = process.argv.slice(2)
const shape = JSON.parse(shapeText) as number[]
const session = await InferenceSession.create(modelFile, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential' })
const values = new Float32Array(shape.reduce((count, size) => count * size, 1)).fill(0.5)

const took: number[] = []
for (const endMs = performance.now() + Number(seconds) * 1000; performance.now() < endMs;) {
  const startMs = performance.now()
  await session.run({ x: new Tensor('float32', values, shape) })
  took.push(performance.now() - startMs)
}
console.log(JSON.stringify({ p50Ms: percentile(took, 0.5) }))
