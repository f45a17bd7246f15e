import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from '../errors.ts'
import type { Bucket } from './bucket.ts'
import { S3Error } from './s3-error.ts'
import { publishingMarker } from './s3-listing.ts'

/** A version in a folder: verified, its files those of its manifest. */
export interface PublishedVersion {
  readonly name: string
  readonly version: string
  readonly folder: string
  /** All of the manifest's, without itself. */
  readonly files: Readonly<Record<string, { readonly sha256: string, readonly bytes: number }>>
}

export type Publication =
  | { readonly kind: 'published', readonly files: number, readonly bytes: number }
  /** The same content was there before. */
  | { readonly kind: 'already there' }

interface Found { readonly etag: string, readonly bytes: number, readonly modified: Date | undefined }

/** Nobody takes longer between two files: what is marked for longer was left by a process that died. */
const abandonedAfterMs = 15 * 60_000

/**
 * What `publishVersion` would do.
 *
 * @throws FatalError when other content is there under the same version
 */
export async function lookBeforePublishing (bucket: Bucket, version: PublishedVersion): Promise<{ isThere: boolean }> {
  const there = await bucket.getText(keyOf(version, 'manifest.json'))
  if (there === undefined) return { isThere: false }
  if (there.text !== await manifestText(version)) throw otherContent(bucket, version)
  return { isThere: true }
}

/**
 * Copies a version into a bucket, its manifest last: readers see the whole version or none. A marker, which
 * comes first, keeps them from taking files without a manifest for a version of raw tensors. Every object is
 * put under a condition, so that of two who publish different content at once at most one gets through; who
 * was interrupted can do it again.
 *
 * @param onFile told of each file that has arrived
 * @throws FatalError when other content is there, or is being put there
 */
export async function publishVersion (bucket: Bucket, version: PublishedVersion, onFile: (file: string) => void = () => {}): Promise<Publication> {
  const manifest = await manifestText(version)
  const { isThere } = await lookBeforePublishing(bucket, version)
  const found = await listVersion(bucket, version)
  if (isThere && isWhole(version, found)) {
    await bucket.delete(keyOf(version, publishingMarker))
    return { kind: 'already there' }
  }
  const marker = await mark(bucket, version, manifest, found.get(publishingMarker))
  // What was there before the mark is nobody's any more; what comes after it belongs to whoever was faster.
  const before = await listVersion(bucket, version)
  const etags = new Map<string, string>()
  for (const [file, { sha256 }] of Object.entries(version.files)) {
    await renew(bucket, version, manifest, marker)
    etags.set(file, await putFile(bucket, version, file, sha256, before.get(file)))
    onFile(file)
  }
  await renew(bucket, version, manifest, marker)
  const arrived = await listVersion(bucket, version)
  if (![...etags].every(([file, etag]) => arrived.get(file)?.etag === etag)) throw busy(bucket, version)
  await bucket.putText(keyOf(version, 'manifest.json'), manifest, { ifNoneMatch: '*', contentType: 'application/json' }).catch(async (error: unknown) => {
    if (!isOvertaken(error)) throw error
    // The same content: another publish of it, or an attempt of ours whose answer was lost.
    await lookBeforePublishing(bucket, version)
  })
  onFile('manifest.json')
  await bucket.delete(keyOf(version, publishingMarker))
  const bytes = Object.values(version.files).reduce((sum, file) => sum + file.bytes, Buffer.byteLength(manifest))
  return { kind: 'published', files: Object.keys(version.files).length + 1, bytes }
}

/**
 * The marker says which content is on its way: the same from another process is no conflict.
 *
 * @returns its etag
 */
async function mark (bucket: Bucket, version: PublishedVersion, manifest: string, there: Found | undefined): Promise<string> {
  const key = keyOf(version, publishingMarker)
  const isOld = there?.modified !== undefined && Date.now() - there.modified.getTime() > abandonedAfterMs
  try {
    return (await bucket.putText(key, manifest, there !== undefined && isOld ? { ifMatch: there.etag } : { ifNoneMatch: '*' })).etag
  } catch (error) {
    if (!isOvertaken(error)) throw error
    const now = await bucket.getText(key)
    if (now?.text !== manifest) throw busy(bucket, version)
    return now.etag
  }
}

/** Keeps the marker from looking abandoned; fails where somebody has taken it over all the same. */
async function renew (bucket: Bucket, version: PublishedVersion, manifest: string, marker: string): Promise<void> {
  await bucket.putText(keyOf(version, publishingMarker), manifest, { ifMatch: marker }).catch(async (error: unknown) => {
    if (!isOvertaken(error)) throw error
    // Another publish of the same content has removed it at its end.
    if (!(await lookBeforePublishing(bucket, version)).isThere) throw busy(bucket, version)
  })
}

/** @returns the etag of the object that is there now, with this content */
async function putFile (bucket: Bucket, version: PublishedVersion, file: string, sha256: string, before: Found | undefined): Promise<string> {
  const key = keyOf(version, file)
  const same = async (): Promise<string | undefined> => {
    const head = await bucket.head(key)
    return head?.metadata['sha256'] === sha256 && head.bytes === version.files[file]?.bytes ? head.etag : undefined
  }
  const present = before === undefined ? undefined : await same()
  if (present !== undefined) return present
  try {
    return (await bucket.putFile(key, join(version.folder, file), { ...(before === undefined ? { ifNoneMatch: '*' } : { ifMatch: before.etag }), sha256, metadata: { sha256 } })).etag
  } catch (error) {
    if (!isOvertaken(error)) throw error
    const etag = await same()
    if (etag === undefined) throw busy(bucket, version)
    return etag
  }
}

/** With If-Match, S3 says "not found" of what is no longer there. */
function isOvertaken (error: unknown): boolean {
  return error instanceof S3Error && (error.code === 'CHANGED' || error.code === 'NOT_FOUND')
}

/** Sizes are in the list; the content was compared by S3 when it arrived. */
function isWhole ({ files }: PublishedVersion, found: ReadonlyMap<string, Found>): boolean {
  return Object.entries(files).every(([file, { bytes }]) => found.get(file)?.bytes === bytes)
}

async function listVersion (bucket: Bucket, { name, version }: PublishedVersion): Promise<Map<string, Found>> {
  const prefix = `${name}/${version}/`
  const found = new Map<string, Found>()
  for await (const { key, etag, bytes, modified } of bucket.list(prefix)) found.set(key.slice(prefix.length), { etag, bytes, modified })
  return found
}

async function manifestText ({ folder }: PublishedVersion): Promise<string> {
  return await readFile(join(folder, 'manifest.json'), 'utf8')
}

function keyOf ({ name, version }: PublishedVersion, file: string): string {
  return `${name}/${version}/${file}`
}

function otherContent (bucket: Bucket, { name, version }: PublishedVersion): FatalError {
  return new FatalError(`${bucket.uriOf(`${name}/${version}/`)} has other content under the same version: nothing is changed; give yours another version`)
}

function busy (bucket: Bucket, { name, version }: PublishedVersion): FatalError {
  return new FatalError(`somebody else is publishing other content as ${name} ${version} to ${bucket.uriOf('')}: yours is not published. Give it another version, or try again in ${abandonedAfterMs / 60_000} minutes should the other one have died`)
}
