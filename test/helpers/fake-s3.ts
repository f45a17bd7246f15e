import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A request as the faults see it; `key` is empty for lists. */
export interface Asked { readonly method: string, readonly key: string, readonly isList: boolean }

export type Fault =
  | { readonly kind: 'answer', readonly status: number, readonly code: string, readonly message?: string }
  /** Half of the body, and then the connection breaks. */
  | { readonly kind: 'truncate' }
  | { readonly kind: 'slow', readonly ms: number }
  /** The request has its effect, and nobody hears of it. */
  | { readonly kind: 'lose-answer' }

interface Planned { readonly matches: (asked: Asked) => boolean, readonly fault: Fault, left: number }

interface Stored {
  readonly body: Buffer
  readonly etag: string
  readonly versionId: string
  readonly metadata: Readonly<Record<string, string>>
  readonly contentType: string
}

/** The part of S3's protocol that is used here, over HTTP, with faults to order. Buckets exist as soon as they are named, but `missing`. */
export class FakeS3 {
  readonly #objects = new Map<string, Stored>()
  readonly #planned: Planned[] = []
  readonly #server: Server
  #versions = 0
  /** Objects in one answer to a list. */
  pageSize = 1000
  /** Every request so far, as `GET bucket/key`; lists are `LIST bucket/prefix`. */
  readonly asked: string[] = []
  /** When objects were put, for all of them. */
  modified: () => Date = () => new Date(0)
  /** Called before a request is looked at; what it changes the request finds changed. */
  onRequest: (asked: Asked) => void = () => {}

  private constructor () {
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => { response.destroy() })
    })
  }

  static async start (): Promise<FakeS3> {
    const fake = new FakeS3()
    fake.#server.listen(0, '127.0.0.1')
    await once(fake.#server, 'listening')
    return fake
  }

  get url (): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async stop (): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  /** The next `times` requests that match go wrong. */
  plan (matches: Planned['matches'], fault: Fault, times = Infinity): void {
    this.#planned.push({ matches, fault, left: times })
  }

  /** From here on all goes well again. */
  heal (): void {
    this.#planned.length = 0
    this.onRequest = () => {}
  }

  put (path: string, body: Uint8Array | string, metadata: Record<string, string> = {}, contentType = 'application/octet-stream'): Stored {
    const bytes = Buffer.from(body)
    const stored = { body: bytes, etag: `"${createHash('md5').update(bytes).digest('hex')}"`, versionId: `v${++this.#versions}`, metadata, contentType }
    this.#objects.set(path, stored)
    return stored
  }

  bytes (path: string): Buffer {
    return this.#objects.get(path)?.body ?? Buffer.alloc(0)
  }

  text (path: string): string | undefined {
    return this.#objects.get(path)?.body.toString()
  }

  remove (path: string): void {
    this.#objects.delete(path)
  }

  paths (): string[] {
    return [...this.#objects.keys()].sort()
  }

  async #answer (request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://fake')
    const path = decodeURIComponent(pathname.slice(1))
    const bucket = path.split('/', 1)[0] ?? ''
    const { method = 'GET' } = request
    const isList = searchParams.get('list-type') === '2'
    const asked: Asked = { method, key: isList ? searchParams.get('prefix') ?? '' : path.slice(bucket.length + 1), isList }
    this.asked.push(isList ? `LIST ${bucket}/${asked.key}` : `${method} ${path}`)
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    this.onRequest(asked)
    const planned = this.#planned.find(({ matches, left }) => left > 0 && matches(asked))
    if (planned !== undefined) planned.left--
    const fault = planned?.fault
    if (fault?.kind === 'slow') await delay(fault.ms)
    if (fault?.kind === 'answer') return refuse(response, method, fault.status, fault.code, fault.message)
    if (bucket === 'missing') return refuse(response, method, 404, 'NoSuchBucket')
    const out = fault?.kind === 'truncate' ? truncated(response) : fault?.kind === 'lose-answer' ? lost(response) : response
    if (isList) return this.#list(bucket, searchParams, out)
    switch (method) {
      case 'PUT': return this.#put(path, request, Buffer.concat(chunks), out)
      case 'DELETE':
        this.#objects.delete(path)
        out.writeHead(204).end()
        return
      default: return this.#get(path, request, out)
    }
  }

  #get (path: string, { method = 'GET', headers }: IncomingMessage, response: ServerResponse): void {
    const stored = this.#objects.get(path)
    if (stored === undefined) return refuse(response, method, 404, 'NoSuchKey')
    if (headers['if-match'] !== undefined && headers['if-match'] !== stored.etag) return refuse(response, method, 412, 'PreconditionFailed')
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    const whole = stored.body
    if (first !== undefined && Number(first) >= whole.byteLength) return refuse(response, method, 416, 'InvalidRange')
    const end = first === undefined ? whole.byteLength : Math.min(Number(last) + 1, whole.byteLength)
    const body = whole.subarray(Number(first ?? 0), end)
    response.writeHead(first === undefined ? 200 : 206, {
      etag: stored.etag,
      'content-length': body.byteLength,
      'content-type': stored.contentType,
      'last-modified': this.modified().toUTCString(),
      'x-amz-version-id': stored.versionId,
      ...(first === undefined ? {} : { 'content-range': `bytes ${first}-${end - 1}/${whole.byteLength}` }),
      ...Object.fromEntries(Object.entries(stored.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value])),
    })
    response.end(method === 'HEAD' ? undefined : body)
  }

  #put (path: string, { method = 'PUT', headers }: IncomingMessage, body: Buffer, response: ServerResponse): void {
    const before = this.#objects.get(path)
    const sha256 = headers['x-amz-checksum-sha256']
    if (sha256 !== undefined && sha256 !== createHash('sha256').update(body).digest('base64')) return refuse(response, method, 400, 'BadDigest')
    if (headers['if-none-match'] === '*' && before !== undefined) return refuse(response, method, 412, 'PreconditionFailed')
    if (headers['if-match'] !== undefined && before === undefined) return refuse(response, method, 404, 'NoSuchKey')
    if (headers['if-match'] !== undefined && headers['if-match'] !== before?.etag) return refuse(response, method, 412, 'PreconditionFailed')
    const metadata = Object.entries(headers).flatMap(([name, value]) => name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), String(value)]] : [])
    const { etag, versionId } = this.put(path, body, Object.fromEntries(metadata) as Record<string, string>, headers['content-type'])
    response.writeHead(200, { etag, 'x-amz-version-id': versionId }).end()
  }

  #list (bucket: string, query: URLSearchParams, response: ServerResponse): void {
    const prefix = `${bucket}/${query.get('prefix') ?? ''}`
    const after = query.get('continuation-token') ?? ''
    const found = this.paths().filter(path => path.startsWith(prefix) && path > after)
    const page = found.slice(0, this.pageSize)
    const contents = page.map(path => {
      const { etag, body } = this.#objects.get(path) as Stored
      return `<Contents><Key>${escaped(path.slice(bucket.length + 1))}</Key><LastModified>${this.modified().toISOString()}</LastModified><ETag>${escaped(etag)}</ETag><Size>${body.byteLength}</Size></Contents>`
    })
    const more = found.length > page.length
    const next = more ? `<NextContinuationToken>${escaped(page.at(-1) ?? '')}</NextContinuationToken>` : ''
    send(response, 200, `<ListBucketResult><Name>${bucket}</Name><KeyCount>${page.length}</KeyCount><IsTruncated>${more}</IsTruncated>${next}${contents.join('')}</ListBucketResult>`)
  }
}

function refuse (response: ServerResponse, method: string, status: number, code: string, message = code): void {
  if (method === 'HEAD') response.writeHead(status).end()
  else send(response, status, `<Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error>`)
}

function send (response: ServerResponse, status: number, xml: string): void {
  response.writeHead(status, { 'content-type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>${xml}`)
}

function escaped (text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

/** Sends the head and half of what follows. */
function truncated (response: ServerResponse): ServerResponse {
  response.end = ((body?: Buffer | string): ServerResponse => {
    const bytes = Buffer.from(body ?? '')
    response.write(bytes.subarray(0, bytes.byteLength / 2), () => { response.destroy() })
    return response
  }) as ServerResponse['end']
  return response
}

function lost (response: ServerResponse): ServerResponse {
  response.writeHead = () => response
  response.end = (() => response.destroy()) as ServerResponse['end']
  return response
}
