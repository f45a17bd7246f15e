// The engine alone: rows that are encoded already, as many runs at once as there are threads, in a process of its own.
import { modelStore } from '../../src/artifact/model-store.ts'
import { readArtifact } from '../../src/artifact/read.ts'
import { cpuCount } from '../../src/engine/cpus.ts'
import { createEngineHost } from '../../src/engine/engine.ts'
import type { Fault } from '../../src/errors.ts'
import { openModel } from '../../src/serving/model.ts'

const [models = '', name = '', version = '', seconds = '1'] = process.argv.slice(2)
const chunkRows = 8192

const threads = cpuCount()
const host = createEngineHost({ threads, log: { error: (_data, message) => { console.error(message) } } })
const model = await openModel(await readArtifact(modelStore(models).version(name, version)), host, 0)
const { reader, feed } = model.tabular!
const faults: Fault[] = []
const rows = model.artifact.golden!.rows.map(({ row }) => reader.read(row, faults))
const filling = feed.begin(chunkRows)
for (let i = 0; i < chunkRows; i++) filling.write(rows[i % rows.length]!, i)

/** @returns rows per second */
async function run (ms: number): Promise<number> {
  const startedMs = performance.now()
  let done = 0
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < ms) {
      await model.engine.run({ inputs: filling.tensors(chunkRows), rows: chunkRows })
      done += chunkRows
    }
  }
  await Promise.all(Array.from({ length: threads + 1 }, lane))
  return 1000 * done / (performance.now() - startedMs)
}

await run(500)
console.log(JSON.stringify({ perSecond: await run(Number(seconds) * 1000) }))
await host.close()
