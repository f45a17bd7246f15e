import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export interface JwksServer {
  url: string
  /** What it answers from now on; null: 500. */
  keys: unknown[] | null
  fetches: number
}

/** A JWKS address whose keys a test can change. It ends with the test. */
export async function jwksServer (keys: unknown[]): Promise<JwksServer> {
  const server = createServer((_request, response) => {
    state.fetches++
    if (state.keys === null) response.writeHead(500).end()
    else response.end(JSON.stringify({ keys: state.keys }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => { server.closeAllConnections(); server.close() })
  const { port } = server.address() as AddressInfo
  const state: JwksServer = { url: `http://127.0.0.1:${port}/keys`, keys, fetches: 0 }
  return state
}
