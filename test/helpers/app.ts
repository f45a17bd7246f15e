import type { AddressInfo } from 'node:net'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { type Files, repository } from './models.ts'

export interface TestApp {
  readonly app: FastifyInstance
  readonly url: string
  /** A token for every scope. */
  readonly token: string
  /** Parsed log lines so far. */
  readonly logs: Record<string, unknown>[]
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>
  /** Objects are sent as JSON, texts as they are. */
  post: (path: string, body: unknown, headers?: Record<string, string>) => Promise<Answer>
  close: () => Promise<void>
}

export interface Answer { status: number, headers: Headers, body: any, text: string } // eslint-disable-line @typescript-eslint/no-explicit-any

/**
 * The real service on a free port of this machine, over a model repository made for it.
 *
 * @param load false: the models are left for the test to load
 */
export async function startApp (contents: Record<string, Files | Uint8Array | string>, env: Record<string, string> = {}, { load = true } = {}): Promise<TestApp> {
  const models = env['MODELS_DIR'] === undefined ? await repository(contents) : { path: env['MODELS_DIR'], remove: async () => {} }
  const { logs, stream } = capture()
  const config = loadConfig({ MODELS_DIR: models.path, ...env })
  const app = await buildApp({ config, log: pino({ level: 'info', base: undefined }, stream), version: '0.0.0-test' })
  const close = async (): Promise<void> => {
    await app.close()
    await models.remove()
  }
  try {
    await app.listen({ port: 0, host: '127.0.0.1' })
    if (load) await app.inference.registry.load(config.defaultModel)
  } catch (error) {
    await close()
    throw error
  }
  const url = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const token = app.firstRunToken ?? ''
  const bearer: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` }
  return {
    app,
    url,
    token,
    logs,
    get: async (path, headers = {}) => await answer(await fetch(url + path, { headers: { ...bearer, ...headers } })),
    post: async (path, body, headers = {}) => await answer(await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...bearer, ...headers },
      body: typeof body === 'string' || body instanceof Uint8Array ? body as string : JSON.stringify(body),
    })),
    close,
  }
}

function capture (): { logs: Record<string, unknown>[], stream: Writable } {
  const logs: Record<string, unknown>[] = []
  const stream = new Writable({
    write (chunk: Buffer, _encoding, done) {
      logs.push(JSON.parse(chunk.toString()) as Record<string, unknown>)
      done()
    },
  })
  return { logs, stream }
}

async function answer (response: Response): Promise<Answer> {
  const text = await response.text()
  const json = /[/+]json\b/.test(response.headers.get('content-type') ?? '')
  return { status: response.status, headers: response.headers, text, body: json && text !== '' ? JSON.parse(text) as unknown : undefined }
}
