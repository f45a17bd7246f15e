// The least that Node can do: parse the JSON of a request and answer with a body that is as long as modelport's.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [port, answersFile = ''] = process.argv.slice(2)
const answers = JSON.parse(readFileSync(answersFile, 'utf8')) as Record<string, string>

createServer((request, response) => {
  if (request.method === 'GET') {
    response.end()
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
  request.on('end', () => {
    const body = JSON.parse(Buffer.concat(chunks).toString()) as { instances?: unknown[] }
    const answer = answers[body.instances?.length ?? 1] ?? ''
    response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': answer.length })
    response.end(answer)
  })
}).listen(Number(port), '127.0.0.1')
