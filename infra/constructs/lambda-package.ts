import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Annotations } from 'aws-cdk-lib'
import { Code } from 'aws-cdk-lib/aws-lambda'
import type { Construct } from 'constructs'

/** The most that Lambda unpacks, in bytes. Zipped it may be 50 MB only where it does not come by S3, and CDK's always does. */
export const maxUnzippedBytes = 250 * 1024 * 1024

/** Where Lambda looks for `handler`, in the folder that `npm run package:lambda` makes. */
const packagedHandler = 'dist/lambda.handler'

export interface LambdaPackage {
  code: Code
  handler: string
  /** False for the stand-in of a package that was not made yet. */
  isBuilt: boolean
}

/**
 * The function's code. Where the folder is not there, a stand-in that answers 503 takes its place, with a warning: stacks can be looked at, compared and
 * tested without it, and a deployment with `--strict` refuses.
 *
 * @throws Error if the folder is larger than Lambda takes, or holds no handler
 */
export function lambdaPackage (scope: Construct, folder: string, architecture: string): LambdaPackage {
  if (!existsSync(folder)) {
    Annotations.of(scope).addWarningV2('modelport:lambda-package', `${folder} is not there, and the function would only answer 503: run \`npm run package:lambda -- --arch ${architecture}\` before deploying`)
    return { code: Code.fromInline(standIn), handler: 'index.handler', isBuilt: false }
  }
  if (!existsSync(join(folder, 'dist', 'lambda.js'))) throw new Error(`${folder} holds no dist/lambda.js: make it anew with \`npm run package:lambda -- --arch ${architecture}\``)
  const bytes = unzippedBytes(folder)
  if (bytes > maxUnzippedBytes) {
    throw new Error(`${folder} has ${megabytes(bytes)} MB, and Lambda takes at most ${megabytes(maxUnzippedBytes)} MB: leave models out (\`lambda.models: 's3'\`), or put fewer into the package`)
  }
  return { code: Code.fromAsset(folder), handler: packagedHandler, isBuilt: true }
}

function unzippedBytes (folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map(name => lstatSync(join(folder, name)))
    .reduce((sum, file) => sum + (file.isFile() ? file.size : 0), 0)
}

const megabytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024)

const standIn = `exports.handler = async () => ({
  statusCode: 503,
  headers: { 'content-type': 'application/problem+json' },
  body: JSON.stringify({ type: 'about:blank', title: 'Service Unavailable', status: 503, detail: 'This function was deployed without its package: npm run package:lambda, then deploy again.' }),
})
`
