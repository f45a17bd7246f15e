/** A file at a place, by its path below it. */
export interface PlacedFile {
  readonly key: string
  readonly bytes: number
  /** Another one means that it may hold something else. */
  readonly etag: string
}

/**
 * Where the files of jobs are: a folder, or a prefix of a bucket. Keys are relative to it, with `/` between segments.
 * What is written appears as a whole or not at all.
 */
export interface Place {
  /** As a person names it, without a slash at the end. */
  readonly address: string
  /** Every file, sorted by key. */
  list: () => Promise<readonly PlacedFile[]>
  /** Undefined where there is none. */
  read: (key: string) => Promise<Uint8Array | undefined>
  /** @throws FatalError where it is not there, or has another etag than the one that is given */
  fetch: (file: Pick<PlacedFile, 'key' | 'etag'>, path: string) => Promise<void>
  /** Copies a local file there, in place of what was there. */
  store: (key: string, path: string) => Promise<void>
  write: (key: string, text: string) => Promise<void>
}

/** What a person would call a file there. */
export function addressOf ({ address }: Pick<Place, 'address'>, key: string): string {
  return `${address}/${key}`
}
