// The same as node-http.ts, with Fastify as it comes.
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'

const [port, answersFile = ''] = process.argv.slice(2)
const answers = JSON.parse(readFileSync(answersFile, 'utf8')) as Record<string, string>

const app = Fastify()
app.get('/health', async () => 'ok')
app.post<{ Body: { instances?: unknown[] } }>('/predict', async ({ body }, reply) => {
  reply.type('application/json; charset=utf-8')
  return answers[body.instances?.length ?? 1] ?? ''
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
