import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type TestApp, startApp } from './helpers/app.ts'
import { shortTable, withBlock } from './helpers/settings-docs.ts'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')

// `npx vitest run test/readme.test.ts --update` brings the table into step.
test('the settings are those of the code', async () => {
  await expect(withBlock(readme, 'settings', shortTable())).toMatchFileSnapshot('../README.md')
})

/** A fenced curl with the JSON block that stands right after it. */
interface Example { method: string, path: string, headers: Record<string, string>, body: string | undefined, answer: unknown }

const examples: Example[] = Array.from(readme.matchAll(/```sh\n(curl [^]*?)```\n+```json\n([^]*?)```/g),
  ([, command = '', answer = '']) => ({ ...readCurl(command), answer: JSON.parse(answer) as unknown }))

/** What curl would send, for the flags that the documents use; any other one fails. */
function readCurl (command: string): Omit<Example, 'answer'> {
  const words = Array.from(command.replaceAll('\\\n', ' ').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g), ([, single, double, bare]) => single ?? double ?? bare ?? '')
  const request: Omit<Example, 'answer'> = { method: 'GET', path: '', headers: {}, body: undefined }
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-H') {
      const [name = '', value = ''] = (words.shift() ?? '').split(/: (.*)/s)
      request.headers[name.toLowerCase()] = value
    } else if (word === '-d') {
      request.body = words.shift()
      request.method = 'POST'
    } else if (word.startsWith('http://localhost:8000/')) {
      request.path = word.slice('http://localhost:8000'.length)
    } else if (!['curl', '-s'].includes(word)) {
      throw new Error(`this test does not know ${word}`)
    }
  }
  return request
}

describe('a request of the README, to the models of this repository', () => {
  let server: TestApp
  beforeAll(async () => {
    server = await startApp({}, { MODELS_DIR: fileURLToPath(new URL('../models', import.meta.url)) })
  })
  afterAll(async () => { await server.close() })

  async function send ({ method, path, headers, body }: Example): Promise<{ status: number, body: Record<string, unknown> }> {
    const filledIn = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace('$TOKEN', server.token)]))
    const response = await fetch(server.url + path, { method, headers: filledIn, body })
    return { status: response.status, body: await response.json() as Record<string, unknown> }
  }

  test('gives the prediction that stands there', async () => {
    const [first] = examples
    if (first === undefined) throw new Error('README.md has no ```sh block with curl and a ```json block right after it')
    expect(first).toMatchObject({ method: 'POST', path: '/predict', headers: { authorization: 'Bearer $TOKEN' } })
    const { status, body } = await send(first)
    expect(status).toBe(200)
    expect(body).toEqual({ ...first.answer as object, latency_ms: expect.any(Number) as number })
    // The answer as it is printed has its members in the order in which they come.
    expect(Object.keys(body)).toEqual(Object.keys(first.answer as object))
  })

  test.each(examples.slice(1))('$method $path $body gives what stands there, but for what is left out', async example => {
    const { status, body } = await send(example)
    const shown = Object.fromEntries(Object.entries(example.answer as object).filter(([, value]) => value !== '…'))
    expect(status).toBe('status' in shown ? shown['status'] : 200)
    expect(body).toMatchObject(shown)
  })
})
