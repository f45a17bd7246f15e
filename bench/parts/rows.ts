import { fileURLToPath } from 'node:url'
import { irisModelFile, listedRows, namedRows } from '../bodies.ts'
import { type Request, type Sample, writeRequest } from '../load.ts'
import { type Context, type Goal, type Result, type Row, atLeast } from '../part.ts'
import { runForJson, script } from '../processes.ts'
import { type Subjects, cpuRatio, measureRounds, rowOf, underLoad, withServers } from '../rounds.ts'

const connections = 4

const batches = [
  { title: '100 rows', body: namedRows(100), named: true },
  { title: '1,000 rows', body: namedRows(1000), named: true },
  { title: '1,000 rows as lists', body: listedRows(1000), named: false },
]

/** Many rows a request, and what the work itself costs without a server. */
export async function rows (context: Context): Promise<Result> {
  if (!context.hasWrk) return await measureBatches(context, () => ({}))
  return await withServers(context, { 100: namedRows(100), 1000: namedRows(1000) }, async servers =>
    await measureBatches(context, (request, named) => {
      const { fastapi, ...others } = underLoad(servers, request, connections)
      // Python's program knows rows by name only.
      return named && fastapi !== undefined ? { ...others, fastapi } : others
    }))
}

async function measureBatches (context: Context, serversFor: (request: Request, named: boolean) => Subjects): Promise<Result> {
  const found: Row[] = []
  const goals: Goal[] = []
  for (const { title, body, named } of batches) {
    const request = writeRequest(context.folder, 'rows', { path: '/predict', body, token: context.token })
    const floor = (seconds: number) => runForJson<Sample>(script(floorFile, [irisModelFile, request.bodyFile, String(seconds)]))
    const series = await measureRounds(context, title, { ...serversFor(request, named), floor })
    found.push(rowOf(`${title}, ${connections} connections`, series))
    if (title !== '100 rows' && series.modelport !== undefined) {
      goals.push(atLeast(`${title} × 4 numbers: CPU per request, in-process floor ÷ modelport`, cpuRatio(series, 'floor', 'modelport'), 0.7))
    }
  }
  return { goals, rows: found }
}

const floorFile = fileURLToPath(new URL('../peers/floor.ts', import.meta.url))
