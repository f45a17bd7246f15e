import { createHash, randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Bucket, Moved, PutOptions, S3Object, S3Text } from './bucket.ts'
import { type Measure, measureFile, measured } from './measured.ts'
import { S3Error, s3Error } from './s3-error.ts'
import type * as Aws from './s3-sdk.ts'
import { type S3Place, parseS3Uri } from './s3-uri.ts'

export interface OpenOptions {
  /** Ends what is under way. */
  readonly signal?: AbortSignal | undefined
}

/** Requests without a file: also the longest that a body may take. */
const requestMs = 20_000
const connectMs = 3000
/** Nothing moves on the connection. */
const idleMs = 10_000
/** What a file may take beside this, at a megabyte a second. */
const fileBaseMs = 60_000
const attempts = 3
const firstPauseMs = 150
const maxTextBytes = 64 * 2 ** 20
/** S3's own limit for one request. */
const maxPutBytes = 5 * 2 ** 30

/**
 * Opens a place in S3, without a request. Credentials, region, endpoint and retries come from where every
 * AWS tool has them: the environment, ~/.aws, or the role of the task. An endpoint of one's own
 * (AWS_ENDPOINT_URL_S3: MinIO, a test) is spoken to in path style.
 *
 * @throws FatalError when `uri` is none
 */
export async function openBucket (uri: string | S3Place, { signal }: OpenOptions = {}): Promise<Bucket> {
  const place = typeof uri === 'string' ? parseS3Uri(uri) : uri
  // Which Node.js an SDK of the future will need is told to whoever upgrades it, not at every start.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true'
  // Loaded here: it takes longer than all else of a start, and most starts have no bucket.
  const aws = await import('./s3-sdk.ts')
  const client = new aws.S3Client({
    maxAttempts: attempts,
    retryMode: 'standard',
    followRegionRedirects: true,
    // What is sent goes with its SHA-256, which S3 compares; other stores do not know newer ways.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // It would write to the console, beside our own words.
    logger: { trace: () => {}, debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    requestHandler: { connectionTimeout: connectMs, socketTimeout: idleMs, httpAgent: { maxSockets: 16 }, httpsAgent: { maxSockets: 16 } },
  })
  speakPathStyle(client)
  return new OpenBucket(aws, client, place, signal)
}

/** Names in front of the host are for AWS: elsewhere nobody resolves them. */
function speakPathStyle (client: Aws.S3Client): void {
  const provide = client.config.endpointProvider
  client.config.endpointProvider = (params, context) => provide(params.Endpoint === undefined ? params : { ...params, ForcePathStyle: true }, context)
}

class OpenBucket implements Bucket {
  readonly place: S3Place
  readonly #aws: typeof Aws
  readonly #client: Aws.S3Client
  readonly #signal: AbortSignal | undefined

  constructor (aws: typeof Aws, client: Aws.S3Client, place: S3Place, signal: AbortSignal | undefined) {
    this.place = place
    this.#aws = aws
    this.#client = client
    this.#signal = signal
  }

  uriOf (key: string): string {
    return `s3://${this.place.bucket}/${this.place.prefix}${key}`
  }

  close (): void {
    this.#client.destroy()
  }

  async * list (prefix: string): AsyncGenerator<S3Object> {
    const { bucket: Bucket, prefix: root } = this.place
    let ContinuationToken: string | undefined
    do {
      const page = await this.#asked(prefix, 's3:ListBucket', requestMs, abortSignal =>
        this.#client.send(new this.#aws.ListObjectsV2Command({ Bucket, Prefix: root + prefix, ContinuationToken }), { abortSignal }))
      for (const { Key: key, Size: bytes = 0, ETag: etag = '', LastModified: modified } of page.Contents ?? []) {
        if (key !== undefined) yield { key: key.slice(root.length), bytes, etag, modified }
      }
      ContinuationToken = page.IsTruncated === true ? page.NextContinuationToken : undefined
    } while (ContinuationToken !== undefined)
  }

  async head (key: string): Promise<S3Object & Pick<S3Text, 'metadata'> | undefined> {
    return await orUndefined(this.#asked(key, 's3:GetObject', requestMs, async abortSignal => {
      const { ContentLength: bytes = 0, ETag: etag = '', LastModified: modified, Metadata: metadata = {} } = await this.#client.send(new this.#aws.HeadObjectCommand(this.#at(key)), { abortSignal })
      return { key, bytes, etag, modified, metadata }
    }))
  }

  async getText (key: string, { ifMatch }: { ifMatch?: string | undefined } = {}): Promise<S3Text | undefined> {
    return await orUndefined(this.#again(() => this.#asked(key, 's3:GetObject', requestMs, async abortSignal => {
      const { Body, ContentLength, ETag: etag = '', Metadata: metadata = {} } = await this.#client.send(new this.#aws.GetObjectCommand({ ...this.#at(key), IfMatch: ifMatch }), { abortSignal })
      if ((ContentLength ?? 0) > maxTextBytes) throw new S3Error('TOO_LARGE', `${this.uriOf(key)} has ${ContentLength} bytes; more than ${maxTextBytes} are not read as text`)
      const bytes = Buffer.concat(await (Body as Readable).toArray() as Buffer[])
      this.#mustBeWhole(key, bytes.byteLength, ContentLength)
      return { text: new TextDecoder().decode(bytes), etag, metadata }
    })))
  }

  async getToFile (key: string, path: string, { ifMatch, range }: { ifMatch?: string | undefined, range?: { start: number, end: number } | undefined } = {}): Promise<Moved> {
    const draft = `${path}.${process.pid}-${randomBytes(6).toString('hex')}`
    let etag = ifMatch
    try {
      return await this.#again(async () => {
        const Range = range === undefined ? undefined : `bytes=${range.start}-${range.end}`
        const got = await this.#asked(key, 's3:GetObject', requestMs, abortSignal =>
          this.#client.send(new this.#aws.GetObjectCommand({ ...this.#at(key), IfMatch: etag, Range }), { abortSignal }))
        // Also a second attempt gets the same object.
        etag = got.ETag
        const written = await this.#asked(key, 's3:GetObject', fileBaseMs + (got.ContentLength ?? 0) / 1000, async signal => {
          const meter = measured()
          await pipeline(got.Body as Readable, meter.stream, createWriteStream(draft, { flush: true }), { signal })
          return meter.result()
        })
        this.#mustBeWhole(key, written.bytes, got.ContentLength)
        await rename(draft, path)
        return { etag: etag ?? '', ...written }
      })
    } finally {
      await rm(draft, { force: true })
    }
  }

  async putFile (key: string, path: string, options: PutOptions = {}): Promise<Moved> {
    const { size } = await stat(path)
    if (size > maxPutBytes) throw new S3Error('TOO_LARGE', `${path} has ${size} bytes; S3 takes at most ${maxPutBytes} at once`)
    const measure = await measureFile(path)
    if (options.sha256 !== undefined && options.sha256 !== measure.sha256) throw new S3Error('BROKEN', `${path} is no longer the file whose SHA-256 was ${options.sha256}: it is not sent`, { isPassing: false })
    return await this.#put(key, measure, options, () => createReadStream(path, { end: measure.bytes - 1 }))
  }

  async putText (key: string, text: string, options: PutOptions = {}): Promise<Moved> {
    const body = Buffer.from(text)
    return await this.#put(key, { sha256: createHash('sha256').update(body).digest('hex'), bytes: body.byteLength }, options, () => body)
  }

  async delete (key: string): Promise<void> {
    await this.#asked(key, 's3:DeleteObject', requestMs, abortSignal => this.#client.send(new this.#aws.DeleteObjectCommand(this.#at(key)), { abortSignal }))
  }

  /** A stream can be sent once, so that each attempt has its own. */
  async #put (key: string, { sha256, bytes }: Measure, options: PutOptions, body: () => Readable | Buffer): Promise<Moved> {
    const { ETag: etag = '' } = await this.#again(() => this.#asked(key, 's3:PutObject', fileBaseMs + bytes / 1000, abortSignal =>
      this.#client.send(new this.#aws.PutObjectCommand({
        ...this.#at(key),
        Body: bytes === 0 ? Buffer.alloc(0) : body(),
        ContentLength: bytes,
        ContentType: options.contentType,
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        IfMatch: options.ifMatch,
        IfNoneMatch: options.ifNoneMatch,
        Metadata: options.metadata,
      }), { abortSignal })))
    return { etag, sha256, bytes }
  }

  #at (key: string): { Bucket: string, Key: string } {
    return { Bucket: this.place.bucket, Key: this.place.prefix + key }
  }

  #mustBeWhole (key: string, bytes: number, expected: number | undefined): void {
    if (expected !== undefined && bytes !== expected) throw new S3Error('BROKEN', `${this.uriOf(key)}: ${bytes} of ${expected} bytes arrived`)
  }

  /** One request, at most this long, with its errors in our words. */
  async #asked<T> (key: string, action: string, maxMs: number, ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const timeout = AbortSignal.timeout(Math.ceil(maxMs))
    try {
      return await ask(this.#signal === undefined ? timeout : AbortSignal.any([timeout, this.#signal]))
    } catch (error) {
      const place = this.uriOf(key)
      if (timeout.aborted) throw new S3Error('TIMEOUT', `${place}: it took longer than ${Math.ceil(maxMs / 1000)} s`, { cause: error })
      if (this.#signal?.aborted === true) throw new S3Error('STOPPED', `${place}: stopped`, { cause: error })
      throw s3Error(error, place, action)
    }
  }

  /** For what the SDK does not try again itself: it cannot know of a body that breaks off, and cannot send a stream twice. */
  async #again<T> (attempt: () => Promise<T>): Promise<T> {
    for (let count = 1; ; count++) {
      try {
        return await attempt()
      } catch (error) {
        if (!(error instanceof S3Error) || !error.isPassing || error.attempts > 1 || count === attempts) throw error
        await delay(firstPauseMs * 2 ** count * Math.random())
      }
    }
  }
}

async function orUndefined<T> (asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked
  } catch (error) {
    if (error instanceof S3Error && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}
