// A function's process from its first moment: loads the package's handler, answers one event, then many.
//
//   node lambda-run.js PACKAGE-FOLDER EVENT-FILE EVENTS
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [folder, eventFile, count] = process.argv.slice(2)
const event = JSON.parse(readFileSync(eventFile, 'utf8'))
const context = { awsRequestId: '7f1f3f2a-52a9-4c51-9a39-6a1b1e0f2f11', getRemainingTimeInMillis: () => 29_000 }

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const before = { ms: performance.now(), cpuMs: cpuMs() }
const { handler } = await import(pathToFileURL(join(folder, 'dist/lambda.js')).href)
const initMs = performance.now() - before.ms
const { statusCode, body } = await handler(event, context)
const firstMs = performance.now() - before.ms
const coldCpuMs = cpuMs() - before.cpuMs
if (statusCode !== 200) throw new Error(`the first answer was ${statusCode}: ${body}`)

const warm = async () => {
  for (let i = 0; i < Number(count); i++) await handler(event, context)
}
await warm()
const start = cpuMs()
await warm()
const warmUs = Number(count) === 0 ? null : (cpuMs() - start) / Number(count) * 1000
process.stdout.write(`\n${JSON.stringify({ initMs, firstMs, coldCpuMs, residentMb: process.memoryUsage().rss / 1e6, warmUs })}\n`, () => process.exit())
