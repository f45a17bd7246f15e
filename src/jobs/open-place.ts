import { isS3Uri } from '../artifact/s3-uri.ts'
import { bucketPlace } from './bucket-place.ts'
import { folderPlace } from './folder-place.ts'
import type { Place } from './place.ts'

/** A folder, or s3://bucket/prefix. Nothing is looked up yet. */
export async function openPlace (text: string): Promise<Place> {
  return isS3Uri(text) ? await bucketPlace(text) : folderPlace(text)
}
