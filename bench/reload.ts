// Loads and releases one version again and again and prints the resident memory on the way: run as a process of its own, with --expose-gc.
import { folderStore } from '../src/artifact/folder-store.ts'
import { readArtifact } from '../src/artifact/read.ts'
import { createEngineHost } from '../src/engine/engine.ts'
import { openModel } from '../src/serving/model.ts'

export interface Reloads {
  /** Resident memory in MB after the first, the tenth part and the last. */
  readonly firstMb: number
  readonly tenthMb: number
  readonly lastMb: number
  readonly mode: string
}

const [modelsFolder = '', name = '', version = '', times] = process.argv.slice(2)
const host = createEngineHost({ threads: 1, log: { error: (data, message) => { console.error(message, data) } } })
const files = folderStore(modelsFolder).version(name, version)

async function reload (): Promise<string> {
  const model = await openModel(await readArtifact(files), host, performance.now())
  const { mode } = model.engine.placement
  await model.engine.close()
  return mode
}

function residentMb (): number {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 1e6
}

const count = Number(times)
const readings: number[] = []
let mode = ''
for (let i = 1; i <= count; i++) {
  mode = await reload()
  if (i === 1 || i === Math.ceil(count / 10) || i === count) readings.push(residentMb())
}
await host.close()
const [firstMb = NaN, tenthMb = NaN, lastMb = NaN] = readings
console.log(JSON.stringify({ firstMb, tenthMb, lastMb, mode } satisfies Reloads))
