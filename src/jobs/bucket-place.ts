import type { Bucket, S3Object } from '../artifact/bucket.ts'
import { openBucket } from '../artifact/s3.ts'
import { FatalError } from '../errors.ts'
import { S3Error } from '../artifact/s3-error.ts'
import type { Place } from './place.ts'

/** A prefix of a bucket as a place. @throws FatalError when `uri` is none */
export async function bucketPlace (uri: string): Promise<Place> {
  const bucket = await openBucket(uri)
  return {
    address: bucket.uriOf('').replace(/\/$/, ''),
    list: async () => {
      const objects: S3Object[] = []
      for await (const object of bucket.list('')) objects.push(object)
      // A folder made in the console is an empty object whose key ends in a slash.
      return objects.filter(({ key }) => key !== '' && !key.endsWith('/')).map(({ key, bytes, etag }) => ({ key, bytes, etag })).sort((a, b) => a.key < b.key ? -1 : 1)
    },
    read: async key => {
      const found = await bucket.getText(key)
      return found === undefined ? undefined : Buffer.from(found.text)
    },
    fetch: async ({ key, etag }, path) => { await fetchUnchanged(bucket, key, etag, path) },
    store: async (key, path) => { await bucket.putFile(key, path) },
    write: async (key, text) => { await bucket.putText(key, text, { contentType: 'application/json' }) },
  }
}

async function fetchUnchanged (bucket: Bucket, key: string, etag: string, path: string): Promise<void> {
  try {
    await bucket.getToFile(key, path, { ifMatch: etag })
  } catch (error) {
    if (!(error instanceof S3Error) || error.code !== 'CHANGED') throw error
    throw new FatalError(`${bucket.uriOf(key)} has changed since it was planned: plan anew`, { cause: error })
  }
}
