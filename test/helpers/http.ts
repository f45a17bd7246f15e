import { type Agent, request } from 'node:http'

export interface PlainAnswer { status: number | undefined, connection: string | undefined, body: string }

/** One request as a client of HTTP/1.1 sends it; without an agent over a connection of its own. */
export async function send (agent: Agent | undefined, port: string, method: string, path: string, body?: string, token?: string, timeoutMs = 20_000): Promise<PlainAnswer> {
  return await new Promise((resolve, reject) => {
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    const sent = request({ host: '127.0.0.1', port, path, method, headers, agent: agent ?? false }, response => {
      let text = ''
      response.on('data', (chunk: Buffer) => { text += chunk.toString() })
      response.on('end', () => { resolve({ status: response.statusCode, connection: response.headers.connection, body: text }) })
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.setTimeout(timeoutMs, () => { sent.destroy(new Error(`no answer within ${timeoutMs} ms`)) })
    sent.end(body)
  })
}
