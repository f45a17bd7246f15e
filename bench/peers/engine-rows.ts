// The engine alone over the rows of a CSV file, encoded beforehand: as many runs side by side as there are threads, in a process of its own.
import { createReadStream } from 'node:fs'
import { parse } from 'csv-parse'
import { modelStore } from '../../src/artifact/model-store.ts'
import { readArtifact } from '../../src/artifact/read.ts'
import { cpuCount } from '../../src/engine/cpus.ts'
import { createEngineHost, type Tensors } from '../../src/engine/engine.ts'
import type { Fault } from '../../src/errors.ts'
import { readCell } from '../../src/schemas/csv.ts'
import { openModel } from '../../src/serving/model.ts'

const [models = '', name = '', version = '', file = '', seconds = '1'] = process.argv.slice(2)
const chunkRows = 8192
/** Enough that no processor learns the rows' way through the trees by heart. */
const maxChunks = 24

const threads = cpuCount()
const host = createEngineHost({ threads, log: { error: (_data, message) => { console.error(message) } } })
const model = await openModel(await readArtifact(modelStore(models).version(name, version)), host, 0)
const chunks = await encodeFile()

async function encodeFile (): Promise<Tensors[]> {
  const { reader, feed } = model.tabular!
  const faults: Fault[] = []
  const chunks: Tensors[] = []
  let filling = feed.begin(chunkRows)
  let rows = 0
  for await (const record of createReadStream(file).pipe(parse({ columns: true })) as AsyncIterable<Record<string, string>>) {
    filling.write(reader.read(Object.fromEntries(reader.features.map(feature => [feature.name, readCell(record[feature.name] ?? '', feature)])), faults), rows++)
    if (rows < chunkRows) continue
    chunks.push(filling.tensors(chunkRows))
    if (chunks.length === maxChunks) break
    filling = feed.begin(chunkRows)
    rows = 0
  }
  if (faults.length > 0 || chunks.length === 0) throw new Error(`${file} has too few rows, or bad ones`)
  return chunks
}

async function run (ms: number): Promise<{ perSecond: number, cpuUsPerRow: number }> {
  const [startedMs, startedCpu] = [performance.now(), process.cpuUsage()]
  let [done, next] = [0, 0]
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < ms) {
      await model.engine.run({ inputs: chunks[next++ % chunks.length]!, rows: chunkRows })
      done += chunkRows
    }
  }
  await Promise.all(Array.from({ length: threads + 1 }, lane))
  const { user, system } = process.cpuUsage(startedCpu)
  return { perSecond: 1000 * done / (performance.now() - startedMs), cpuUsPerRow: (user + system) / done }
}

await run(500)
console.log(JSON.stringify({ threads, ...await run(Number(seconds) * 1000) }))
await host.close()
