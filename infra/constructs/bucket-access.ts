import { PolicyStatement } from 'aws-cdk-lib/aws-iam'
import type { IBucket } from 'aws-cdk-lib/aws-s3'

/**
 * Reading what is below a prefix. Listing is part of it: without, S3 answers that a missing object is forbidden, and a program cannot tell
 * "not yet there" from "not allowed".
 */
export function mayRead (bucket: IBucket, prefix: string): PolicyStatement[] {
  return [
    new PolicyStatement({ actions: ['s3:GetObject'], resources: [bucket.arnForObjects(`${prefix}/*`)] }),
    new PolicyStatement({ actions: ['s3:ListBucket'], resources: [bucket.bucketArn], conditions: { StringLike: { 's3:prefix': [prefix, `${prefix}/*`] } } }),
  ]
}

export function mayWrite (bucket: IBucket, prefix: string): PolicyStatement[] {
  return [new PolicyStatement({ actions: ['s3:PutObject', 's3:AbortMultipartUpload'], resources: [bucket.arnForObjects(`${prefix}/*`)] })]
}

/** Why such permissions end in a `*`. */
export function objectsBelow (...prefixes: string[]): Record<string, string> {
  return Object.fromEntries(prefixes.map(prefix => [`/${prefix}/*`, 'Objects below one prefix: their names are those of files, models and runs.']))
}
