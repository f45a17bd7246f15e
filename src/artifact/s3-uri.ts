import { FatalError } from '../errors.ts'

/** A bucket, and what the keys in it begin with: empty, or ending in a slash. */
export interface S3Place { readonly bucket: string, readonly prefix: string }

export function isS3Uri (text: string): boolean {
  return /^s3:\/\//i.test(text)
}

/** @throws FatalError */
export function parseS3Uri (text: string): S3Place {
  const [, bucket, path = ''] = /^s3:\/\/([^/]*)(?:\/(.*))?$/is.exec(text) ?? []
  if (bucket === undefined) throw new FatalError(`${JSON.stringify(text)} is not a place in S3: it must look like s3://bucket/prefix`)
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new FatalError(`${JSON.stringify(text)}: "${bucket}" cannot be the name of a bucket: 3 to 63 characters from a-z 0-9 . -`)
  const prefix = path.replace(/\/+$/, '')
  // S3 would take these as they are, and so would not find what a person means by them.
  if (prefix.split('/').some(part => ['.', '..'].includes(part)) || prefix.includes('//') || prefix.startsWith('/')) throw new FatalError(`${JSON.stringify(text)}: the prefix must not have an empty part, "." or ".."`)
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` }
}
