/** Why a version is not served: stable words for /health/ready and GET /models. */
export type Reason =
  | 'MISSING_FILE'
  | 'UNREADABLE'
  | 'OUTSIDE_FOLDER'
  | 'UNLISTED_FILE'
  | 'HASH_MISMATCH'
  | 'BAD_MANIFEST'
  | 'BAD_PREPROCESSOR'
  | 'BAD_GOLDEN'
  | 'BAD_BASELINE'
  | 'BAD_ALIASES'
  | 'BAD_MODEL'
  | 'SIGNATURE_MISMATCH'
  | 'GOLDEN_MISMATCH'

/** What is wrong with a version on disk; `message` is for the log, `reason` may be shown to callers. */
export class ArtifactError extends Error {
  override readonly name = 'ArtifactError'
  readonly reason: Reason

  constructor (reason: Reason, message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}
