// What s3.ts uses of the SDK, by name: the build leaves out the rest, which is nine tenths of it.
export { DeleteObjectCommand, GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
