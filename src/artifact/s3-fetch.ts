import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Type from 'typebox'
import { ArtifactError } from './artifact-error.ts'
import type { Bucket } from './bucket.ts'
import { parseJson } from './json.ts'
import type { Measure } from './measured.ts'
import { S3Error } from './s3-error.ts'
import { type ListedFiles, type Stamp, contentKey, readListing } from './s3-listing.ts'

/** As much of a manifest as it takes to know what belongs to the version. The rest is checked by whoever opens it. */
const FilesSchema = Type.Object({ files: Type.Record(Type.String(), Type.Object({ sha256: Type.String(), bytes: Type.Integer() })) })

interface Wanted {
  readonly name: string
  readonly version: string
  readonly files: ListedFiles
  readonly folder: string
}

/**
 * Copies the files of one version from S3 into a folder: the manifest first, then what it lists, each as
 * it was when it was listed, and each with the size and the SHA-256 that the manifest says.
 *
 * @returns what came, by file name
 * @throws ArtifactError HASH_MISMATCH, BAD_MANIFEST
 * @throws S3Error `CHANGED` when an object is no longer what was listed
 */
export async function fetchVersion (bucket: Bucket, { name, version, files, folder }: Wanted): Promise<Map<string, Measure>> {
  const get = async (file: string, { etag }: Stamp): Promise<Measure> => {
    const key = `${name}/${version}/${file}`
    return await bucket.getToFile(key, join(folder, file), { ifMatch: etag }).catch((error: unknown) => {
      if (error instanceof S3Error && error.code === 'NOT_FOUND') throw new S3Error('CHANGED', error.message, { cause: error })
      throw error
    })
  }
  const manifest = files.get('manifest.json')
  if (manifest === undefined) {
    await mustBeStill(bucket, { name, version, files })
    return new Map(await together([...files].map(async ([file, stamp]): Promise<[string, Measure]> => [file, await get(file, stamp)])))
  }
  const ofManifest = await get('manifest.json', manifest)
  const expected = await readExpected(join(folder, 'manifest.json'))
  const listed = Object.entries(expected).flatMap(([file, its]) => {
    const stamp = files.get(file)
    // What is missing is told by whoever opens the version.
    return stamp === undefined ? [] : [{ file, stamp, its }]
  })
  for (const { file, stamp, its } of listed) {
    if (stamp.bytes !== its.bytes) throw new ArtifactError('HASH_MISMATCH', `${file} has ${stamp.bytes} bytes, the manifest says ${its.bytes}`)
  }
  const fetched = await together(listed.map(async ({ file, stamp, its }): Promise<[string, Measure]> => {
    const measure = await get(file, stamp)
    if (measure.sha256 !== its.sha256) throw new ArtifactError('HASH_MISMATCH', `${file} has SHA-256 ${measure.sha256}, the manifest says ${its.sha256}`)
    return [file, measure]
  }))
  return new Map([['manifest.json', ofManifest], ...fetched])
}

/** Without a manifest nothing says what belongs together: a long list may have been read while somebody wrote. */
async function mustBeStill (bucket: Bucket, { name, version, files }: Omit<Wanted, 'folder'>): Promise<void> {
  const { models } = await readListing(bucket.list(`${name}/${version}/`))
  const now = models.get(name)?.versions.get(version)
  if (now === undefined || contentKey(now) !== contentKey(files)) throw new S3Error('CHANGED', `${bucket.uriOf(`${name}/${version}/`)}: it is being changed at this moment`)
}

async function readExpected (path: string): Promise<Readonly<Record<string, Measure>>> {
  try {
    return parseJson(FilesSchema, await readFile(path)).files
  } catch (error) {
    throw new ArtifactError('BAD_MANIFEST', `manifest.json: ${(error as Error).message}`)
  }
}

/** All have ended when this does, also where one fails: nobody may go on writing into the folder. */
async function together<T> (tasks: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(tasks)
  return results.map(result => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}
