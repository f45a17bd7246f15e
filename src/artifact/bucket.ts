import type { Measure } from './measured.ts'
import type { S3Place } from './s3-uri.ts'

/** All keys are relative to the place that was opened. An etag changes whenever an object does. */
export interface S3Object { readonly key: string, readonly bytes: number, readonly etag: string, readonly modified: Date | undefined }

export interface S3Text {
  readonly text: string
  readonly etag: string
  /** What `putText` was given beside the text. */
  readonly metadata: Readonly<Record<string, string>>
}

/** Without a condition an object is replaced, whatever is there. */
export interface PutOptions {
  /** Only where there is no object yet. */
  readonly ifNoneMatch?: '*' | undefined
  /** Only in the place of the object with this etag. */
  readonly ifMatch?: string | undefined
  readonly contentType?: string | undefined
  /** What the content must be, in hexadecimal: otherwise nothing is sent. */
  readonly sha256?: string | undefined
  /** Small, in ASCII: it travels in header fields. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
}

export interface Moved extends Measure {
  /** Of the object as it is in S3. */
  readonly etag: string
}

/**
 * The objects of one place. Every method throws an S3Error that says what to do; conditions that do not
 * hold are its code `CHANGED`. What passes (a fault of S3, a lost connection, half a body) is tried again
 * first, a few times, with pauses of random length.
 */
export interface Bucket {
  readonly place: S3Place
  /** For messages: s3://bucket/prefix/key */
  readonly uriOf: (key: string) => string
  /** In the order of the keys' UTF-8 bytes; as many requests as there are thousands. */
  readonly list: (prefix: string) => AsyncIterable<S3Object>
  /** undefined: there is none */
  readonly head: (key: string) => Promise<S3Object & Pick<S3Text, 'metadata'> | undefined>
  /** undefined: there is none. For what fits into memory: at most 64 MB. */
  readonly getText: (key: string, options?: { readonly ifMatch?: string | undefined }) => Promise<S3Text | undefined>
  /**
   * The whole object, or bytes of it, in a file that appears at `path` once it is whole.
   *
   * @param options.range first and last byte, both included
   */
  readonly getToFile: (key: string, path: string, options?: { readonly ifMatch?: string | undefined, readonly range?: { readonly start: number, readonly end: number } | undefined }) => Promise<Moved>
  /** At most 5 GB. */
  readonly putFile: (key: string, path: string, options?: PutOptions) => Promise<Moved>
  readonly putText: (key: string, text: string, options?: PutOptions) => Promise<Moved>
  /** Also where there is none. */
  readonly delete: (key: string) => Promise<void>
  readonly close: () => void
}
