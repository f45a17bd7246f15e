import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem } from 'node:os'
import { type Contender, contenders, pythonVersions } from './contenders.ts'
import type { Context, Goal, Result, Row, Table } from './part.ts'

/**
 * The whole of RESULTS.md, with what there is of each part.
 *
 * @param othersCpus  CPUs that other programs kept busy meanwhile
 */
export function report (results: readonly Result[], context: Context, othersCpus: number): string {
  const goals = results.flatMap(({ goals = [] }) => goals)
  const rows = results.flatMap(({ rows = [] }) => rows)
  const tables = results.flatMap(({ tables = [] }) => tables)
  const chart = results.some(({ figures }) => figures !== undefined) ? '![CPU time per request, and requests a second](speed.svg)' : ''
  return [
    '# Benchmark',
    `${machine()} Other programs kept ${othersCpus.toFixed(2)} CPUs busy meanwhile.`,
    how(context),
    chart,
    '## Goals',
    goalTable(goals),
    '## Table',
    rows.length === 0 ? '' : legend,
    contenderTable(rows),
    ...tables.flatMap(({ title, ...table }) => [`### ${title}`, markdown(table)]),
  ].filter(text => text !== '').join('\n\n') + '\n'
}

function machine (): string {
  const memory = Math.round(totalmem() / 2 ** 30)
  const packages = ['fastify', 'onnxruntime-node'].map(name => `${name} ${versionOf(`node_modules/${name}/package.json`)}`)
  return [
    `${new Date().toISOString().slice(0, 10)}, modelport ${versionOf('package.json')}, Node ${process.version}, ${packages.join(', ')};`,
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} CPUs, ${memory} GB, Linux ${release()}.`,
    `${pythonVersions() ?? 'No Python: FastAPI is left out'}.`,
  ].join(' ')
}

function how ({ rounds, seconds, hasWrk }: Context): string {
  return [
    'Written by `npm run bench`. Load comes from `wrk` with one thread on the same machine, over loopback.',
    hasWrk ? '' : '**wrk is not installed: what needs load is left out.**',
    `Each figure is the median of ${rounds} rounds of ${seconds} s; a round measures all columns one after the other, and ratios are taken within a round.`,
    'CPU time is what the operating system counted for all threads and processes of a server, divided by the requests that it answered.',
    '`node:http` and Fastify parse the same JSON and send a ready-made text as long as modelport\'s answer. modelport checks a JWT, counts a rate limit,',
    'validates, predicts with a forest of 60 trees, counts metrics and writes an access log to a file. FastAPI has none of that but pydantic and uvicorn\'s access log,',
    'and runs scikit-learn\'s forest of the same size.',
  ].filter(text => text !== '').join(' ')
}

const legend = 'In a cell: **CPU time per request** (`node:http`\'s ÷ its own), requests a second, p50 / p99. Two processes and wrk share the CPUs, so that their requests a second say little where there are only two.'

function goalTable (goals: readonly Goal[]): string {
  return markdown({
    head: ['what', 'goal', 'measured', ''],
    rows: goals.map(({ what, goal, measured, met }) => [what, goal, measured, met ? 'met' : '**missed**']),
  })
}

function contenderTable (rows: readonly Row[]): string {
  const names = (Object.keys(contenders) as Contender[]).filter(name => rows.some(({ cells }) => name in cells))
  return markdown({
    head: ['', ...names.map(name => contenders[name])],
    rows: rows.map(({ title, cells }) => [title, ...names.map(name => cells[name] ?? '–')]),
  })
}

function markdown ({ head, rows }: Omit<Table, 'title'>): string {
  if (rows.length === 0) return ''
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function versionOf (file: string): string {
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
