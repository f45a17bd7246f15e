import { FatalError } from '../errors.ts'

/**
 * What went wrong with a bucket, for those who decide by it.
 *
 * - `CHANGED` a condition (ifMatch, ifNoneMatch) does not hold: somebody else was faster
 * - `BROKEN` what arrived is not what was sent, time after time
 * - `FAILED` what S3 itself answers as a fault, after all attempts
 * - `STOPPED` the caller's signal ended it
 */
export type S3ErrorCode = 'NOT_FOUND' | 'NO_BUCKET' | 'CHANGED' | 'DENIED' | 'NO_CREDENTIALS' | 'NO_REGION' | 'UNREACHABLE' | 'TIMEOUT' | 'BROKEN' | 'TOO_LARGE' | 'FAILED' | 'STOPPED'

interface S3ErrorOptions extends ErrorOptions {
  readonly isPassing?: boolean
  readonly attempts?: number
}

/** One line for the operator: which object, what happened, what to do. It holds no credential and no account number. */
export class S3Error extends FatalError {
  readonly code: S3ErrorCode
  /** Trying again a moment later may help. */
  readonly isPassing: boolean
  /** How often it has been tried. */
  readonly attempts: number

  constructor (code: S3ErrorCode, message: string, { isPassing, attempts = 1, ...options }: S3ErrorOptions = {}) {
    super(withoutAccounts(message), options)
    this.code = code
    this.isPassing = isPassing ?? (code === 'TIMEOUT' || code === 'UNREACHABLE' || code === 'BROKEN')
    this.attempts = attempts
  }
}

/** An account's number is twelve digits, in names of buckets and in ARNs. */
function withoutAccounts (text: string): string {
  return text.replace(/(?<!\d)\d{12}(?!\d)/g, '<account>')
}

/** What the SDK and Node throw, as far as it is looked at. */
interface Thrown {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number, readonly attempts?: number }
}

/**
 * An error of the SDK in our words. The SDK's own messages stay out of them: they name users and accounts.
 *
 * @param place what was asked for, as s3://bucket/key
 * @param action what the permission for it is called, such as s3:GetObject
 */
export function s3Error (error: unknown, place: string, action: string): S3Error {
  if (error instanceof S3Error) return error
  const thrown = error as Thrown
  const known = answered(thrown, action) ?? unanswered(thrown)
  if (known === undefined) throw error
  const [code, text, isPassing] = known
  const { attempts } = thrown.$metadata ?? {}
  return new S3Error(code, `${place}: ${text}`, {
    cause: withoutRequest(thrown),
    ...(isPassing === undefined ? {} : { isPassing }),
    ...(attempts === undefined ? {} : { attempts }),
  })
}

type Told = readonly [code: S3ErrorCode, text: string, isPassing?: boolean]

/** S3 has said no. */
function answered ({ name, $metadata: { httpStatusCode: status = 0 } = {} }: Thrown, action: string): Told | undefined {
  if (name === 'NoSuchBucket') return ['NO_BUCKET', 'there is no such bucket: check its name, and AWS_REGION']
  if (name === 'BadDigest') return ['BROKEN', 'S3 has got other bytes than were sent']
  switch (status) {
    case 404: return ['NOT_FOUND', 'there is no such object']
    case 412: return ['CHANGED', 'it is no longer what it was: somebody else has changed it meanwhile']
    case 409: return ['CHANGED', 'somebody else is changing it at this moment', true]
    case 401:
    case 403: return ['DENIED', `access denied (${name}): the credentials need ${action}`]
    default: return status >= 300 ? ['FAILED', `S3 answered ${status} ${name}`, status >= 500 || status === 429] : undefined
  }
}

/** Nothing has come back, or nothing has even been sent. */
function unanswered ({ name, message, code }: Thrown): Told | undefined {
  if (name === 'CredentialsProviderError') return ['NO_CREDENTIALS', 'there are no AWS credentials: run it with a role, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY']
  if (/region is missing/i.test(message)) return ['NO_REGION', 'it is not known in which region to look: set AWS_REGION']
  if (name === 'TimeoutError' || code === 'ETIMEDOUT') return ['TIMEOUT', 'S3 did not answer in time']
  // What the system calls a broken connection, a name that cannot be found, a certificate that does not hold.
  if (isNetworkCode(code)) return ['UNREACHABLE', `S3 cannot be reached (${code}): check the network, AWS_REGION and AWS_ENDPOINT_URL_S3`]
  return undefined
}

function isNetworkCode (code: string | undefined): boolean {
  return code !== undefined && (/^E(CONN|HOST|NET|AI_|PIPE|NOTFOUND|PROTO)/.test(code) || /CERT|TLS|SSL|STREAM_PREMATURE_CLOSE/.test(code))
}

/** For a log, which prints causes in full: what hangs on the SDK's error is the signed request. */
function withoutRequest ({ name, message, code, $metadata }: Thrown): Error {
  const status = $metadata?.httpStatusCode
  return Object.assign(new Error(withoutAccounts(message)), { name }, code === undefined ? {} : { code }, status === undefined ? {} : { status })
}
