import { KeysUnavailable } from './key-set.ts'
import { clockToleranceMs, maxSubjectLength, UnknownKey } from './token.ts'

/** Who sends a verified token, and what it allows. Shared between requests: nobody may change it. */
export interface Identity {
  readonly kind: 'identity'
  readonly subject: string | undefined
  readonly scopes: ReadonlySet<string>
  readonly expiresAtMs: number
}

export type Verdict =
  | Identity
  /** The token is bad; `reason` may be shown, and holds nothing of the token. */
  | { readonly kind: 'refused', readonly reason: string }
  /** Whether it is good cannot be known now, and that is not the caller's fault. */
  | { readonly kind: 'unchecked', readonly reason: string, readonly retryAfterSeconds: number }

/** Checks signature and claims; throws or rejects when they are wrong. */
export type Check = (token: string) => object | Promise<object>

const maxTokens = 1000
const maxTokenLength = 8192

/**
 * Checks each token once: the outcome for a good one is kept by its text until it expires. The
 * oldest of 1000 makes room, so that the memory is bounded; a bad token is never kept.
 */
export class Verifier {
  readonly #check: Check
  #identities = new Map<string, Identity>()

  constructor (check: Check) {
    this.#check = check
  }

  /** Never throws or rejects; a promise only where a key has to be looked up first. */
  verify (token: string): Verdict | Promise<Verdict> {
    const known = this.#identities.get(token)
    if (known !== undefined && Date.now() <= known.expiresAtMs) return known
    if (token.length > maxTokenLength) return refused(`The token is longer than ${maxTokenLength} characters`)
    // A check that is under way while `forget` is called must not enter the new map.
    const identities = this.#identities
    try {
      const claims = this.#check(token)
      return claims instanceof Promise
        ? claims.then(found => accept(identities, token, found), toVerdict)
        : accept(identities, token, claims)
    } catch (error) {
      return toVerdict(error)
    }
  }

  /** The keys have changed: every token is checked anew. */
  forget (): void {
    this.#identities = new Map()
  }
}

function accept (identities: Map<string, Identity>, token: string, claims: object): Verdict {
  const { sub, exp } = claims as { sub?: unknown, exp: number }
  if (sub !== undefined && (typeof sub !== 'string' || sub === '' || sub.length > maxSubjectLength)) {
    return refused(`The sub claim must be text of 1 to ${maxSubjectLength} characters`)
  }
  const identity: Identity = { kind: 'identity', subject: sub, scopes: scopesOf(claims), expiresAtMs: exp * 1000 + clockToleranceMs }
  identities.delete(token)
  if (identities.size >= maxTokens) identities.delete(identities.keys().next().value ?? '')
  identities.set(token, identity)
  return identity
}

/** What issuers call scopes: text with spaces or a list, in any of three claims. */
function scopesOf (claims: object): Set<string> {
  const { scope, scp, permissions } = claims as Record<string, unknown>
  return new Set([scope, scp, permissions].flatMap(words))
}

function words (claim: unknown): string[] {
  if (typeof claim === 'string') return claim.split(' ').filter(word => word !== '')
  return Array.isArray(claim) ? claim.filter(entry => typeof entry === 'string') : []
}

const reasons: Readonly<Record<string, string>> = {
  FAST_JWT_MALFORMED: 'The token is not a JSON Web Token',
  FAST_JWT_INVALID_ALGORITHM: 'The token is signed with another algorithm than this server\'s key is for',
  FAST_JWT_INVALID_SIGNATURE: 'The signature does not fit this server\'s key',
  FAST_JWT_VERIFY_ERROR: 'The signature does not fit this server\'s key',
  FAST_JWT_MISSING_SIGNATURE: 'The token is not signed',
  FAST_JWT_EXPIRED: 'The token has expired',
  FAST_JWT_INACTIVE: 'The token is not valid yet',
  FAST_JWT_MISSING_REQUIRED_CLAIM: 'The token lacks exp, or the iss or aud that this server requires',
  FAST_JWT_INVALID_CLAIM_VALUE: 'The token is for another audience or from another issuer',
  FAST_JWT_INVALID_CLAIM_TYPE: 'A claim of the token is of the wrong type',
}

function toVerdict (error: unknown): Verdict {
  const { code, originalError } = error as { code?: unknown, originalError?: unknown }
  if (originalError instanceof KeysUnavailable) {
    return { kind: 'unchecked', reason: originalError.message, retryAfterSeconds: originalError.retryAfterSeconds }
  }
  if (originalError instanceof UnknownKey) return refused('The token is signed with a key that this server does not know')
  // Whatever else a check may throw, it was the token that provoked it.
  return refused(reasons[String(code)] ?? 'The token is not valid')
}

function refused (reason: string): Verdict {
  return { kind: 'refused', reason }
}
