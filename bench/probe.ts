// Asks each of some routes in turn, one request at a time at a steady pace, and prints what they took: run as a process of its own.
import { Agent, request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { percentile } from './statistics.ts'

interface Question { readonly name: string, readonly method: string, readonly path: string, readonly body?: string }

/** Keyed by the question's name. */
export type Latencies = Record<string, { readonly p50Ms: number, readonly p99Ms: number, readonly maxMs: number, readonly count: number }>

export interface Probe { readonly url: string, readonly token: string, readonly seconds: number, readonly everyMs: number, readonly questions: readonly Question[] }

const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const probe = JSON.parse(process.argv[2] ?? '') as Probe

async function ask ({ method, path, body }: Question): Promise<number> {
  const headers = { authorization: `Bearer ${probe.token}`, 'content-type': 'application/json' }
  const startedMs = performance.now()
  return await new Promise((resolve, reject) => {
    const sent = request(probe.url + path, { method, agent, headers }, response => {
      if (response.statusCode !== 200) reject(new Error(`${path} answered ${response.statusCode}`))
      response.resume().on('end', () => { resolve(performance.now() - startedMs) })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const took = new Map(probe.questions.map(({ name }): [string, number[]] => [name, []]))
// This process and the server's path have to be warm before they count.
for (let i = 0; i < 50; i++) for (const question of probe.questions) await ask(question)
const endMs = performance.now() + probe.seconds * 1000
for (let nextMs = performance.now(); nextMs < endMs; nextMs += probe.everyMs) {
  await wait(Math.max(0, nextMs - performance.now()))
  for (const question of probe.questions) took.get(question.name)?.push(await ask(question))
}
agent.destroy()
const latencies: Latencies = Object.fromEntries([...took].map(([name, ms]) =>
  [name, { p50Ms: percentile(ms, 0.5), p99Ms: percentile(ms, 0.99), maxMs: Math.max(...ms), count: ms.length }]))
console.log(JSON.stringify(latencies))
