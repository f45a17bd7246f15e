import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { oneRow } from '../bodies.ts'
import { modelport } from '../contenders.ts'
import { writeHeavyModel } from '../heavy-model.ts'
import { measure, writeRequest } from '../load.ts'
import { type Context, type Goal, type Result, type Table, atMost } from '../part.ts'
import type { Latencies, Probe } from '../probe.ts'
import { runForJson, script } from '../processes.ts'
import { inMs } from '../rounds.ts'
import { type BenchServer, startServer } from '../server.ts'
import { median } from '../statistics.ts'

const probeFile = fileURLToPath(new URL('../probe.ts', import.meta.url))
/** A few hundred milliseconds a run. */
const layers = 2400
/** More than the pool has threads: there is always a run that waits. */
const callers = 6

interface Round { readonly alone: Latencies, readonly beside: Latencies, readonly heavyPerSecond: number }

/** Whether a light model and the health check notice that a heavy model has more work than threads. */
export async function heavy (context: Context): Promise<Result> {
  if (!context.hasWrk) return {}
  const models = join(context.folder, 'heavy-models')
  writeHeavyModel(models, layers)
  cpSync(join('models', 'iris'), join(models, 'iris'), { recursive: true })
  const server = await startServer(modelport({ MODELS_DIR: models, DEFAULT_MODEL: 'iris', REQUEST_TIMEOUT_MS: '60000' }), context.folder)
  try {
    const found: Round[] = []
    for (let round = 1; round <= context.rounds; round++) {
      context.progress(`heavy beside light: round ${round} of ${context.rounds}`)
      found.push(await measureRound(context, server))
    }
    return { goals: goals(found), tables: [table(found)] }
  } finally {
    await server.stop()
  }
}

async function measureRound ({ folder, token, seconds }: Context, server: BenchServer): Promise<Round> {
  const probe: Probe = {
    url: server.url,
    token,
    seconds: 2 * seconds,
    everyMs: 10,
    questions: [{ name: 'health', method: 'GET', path: '/health' }, { name: 'light', method: 'POST', path: '/predict', body: oneRow }],
  }
  const ask = () => runForJson<Latencies>(script(probeFile, [JSON.stringify(probe)]))
  const request = writeRequest(folder, 'heavy', { path: '/models/heavy/predict', body: '{"x":1}', token })
  const alone = await ask()
  // The load outlasts the probe, which begins once the threads are busy.
  const load = measure(server, request, { connections: callers, seconds: probe.seconds + 3 })
  const [{ perSecond }, beside] = await Promise.all([load, ask()])
  return { alone, beside, heavyPerSecond: perSecond }
}

const p99 = (name: string) => (latencies: Latencies): number => latencies[name]?.p99Ms ?? NaN

function goals (rounds: readonly Round[]): Goal[] {
  const healthMs = median(rounds.map(({ beside }) => p99('health')(beside)))
  const lightMs = median(rounds.map(({ beside }) => p99('light')(beside)))
  const limitMs = median(rounds.map(({ alone }) => 2 * p99('light')(alone) + 10))
  return [
    atMost('heavy model saturated: p99 of /health', healthMs, 20, ' ms', 2),
    atMost('heavy model saturated: p99 of the light model, against twice its own alone + 10 ms', lightMs, limitMs, ' ms', 2),
  ]
}

function table (rounds: readonly Round[]): Table {
  const of = (pick: (round: Round) => number | undefined) => inMs(median(rounds.map(round => pick(round) ?? NaN)))
  const row = (title: string, pick: (round: Round) => Latencies, name: string) =>
    [title, of(round => pick(round)[name]?.p50Ms), of(round => pick(round)[name]?.p99Ms), of(round => pick(round)[name]?.maxMs)]
  const callersWait = `${callers} callers that wait for the heavy model, always more than threads: it answers ${of(round => round.heavyPerSecond)} a second`
  return {
    title: `Beside a heavy model, in one process, in ms (the client, a process of its own, is in these figures); ${callersWait}`,
    head: ['', 'p50', 'p99', 'highest'],
    rows: [
      row('/health, alone', ({ alone }) => alone, 'health'),
      row('/health, heavy model saturated', ({ beside }) => beside, 'health'),
      row('light model, alone', ({ alone }) => alone, 'light'),
      row('light model, heavy model saturated', ({ beside }) => beside, 'light'),
    ],
  }
}
