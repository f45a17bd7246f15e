import type { FastifyJWTOptions, JWT } from '@fastify/jwt'
import type { Config } from '../config.ts'
import type { KeySet } from './key-set.ts'
import type { VerifyingKey } from './keys.ts'

export const scopes = ['predict', 'metrics', 'admin'] as const
export type Scope = typeof scopes[number]

/** OpenID Connect's limit; it also bounds what is kept per caller. */
export const maxSubjectLength = 255

export type Rules = Pick<Config, 'jwtIssuer' | 'jwtAudience'>

/** A token's `kid` is not in the key set, or its algorithm is not that of the key. */
export class UnknownKey extends Error {
  override readonly name = 'UnknownKey'
}

/** Options of @fastify/jwt for a server that checks tokens; `keySet` belongs to a key of the kind jwks. */
export function verifyOptions (rules: Rules, key: VerifyingKey, keySet: KeySet | undefined): FastifyJWTOptions {
  const verify: FastifyJWTOptions['verify'] = {
    ...verifyRules(rules),
    algorithms: key.kind === 'jwks' ? ['RS256', 'ES256', 'EdDSA'] : [key.algorithm],
  }
  switch (key.kind) {
    case 'jwks': return { secret: { public: keyFetcher(keySet) }, verify }
    case 'public': return { secret: { public: key.pem }, verify }
    case 'secret': return { secret: key.secret, verify, sign: { algorithm: key.algorithm, ...signRules(rules) } }
  }
}

export interface SignedToken { token: string, expiresAt: Date }

export function signToken (jwt: JWT, subject: string, scopes: readonly Scope[], ttlMs: number): SignedToken {
  const iat = Math.floor(Date.now() / 1000)
  const exp = iat + Math.ceil(ttlMs / 1000)
  return { token: jwt.sign({ sub: subject, scope: scopes.join(' '), iat, exp }), expiresAt: new Date(exp * 1000) }
}

export function verifyRules ({ jwtIssuer, jwtAudience }: Rules): NonNullable<FastifyJWTOptions['verify']> {
  return {
    // A claim that is only compared when present could simply be left out.
    requiredClaims: ['exp', ...(jwtIssuer === undefined ? [] : ['iss']), ...(jwtAudience === undefined ? [] : ['aud'])],
    ...(jwtIssuer === undefined ? {} : { allowedIss: jwtIssuer }),
    ...(jwtAudience === undefined ? {} : { allowedAud: jwtAudience }),
    clockTolerance: clockToleranceMs,
  }
}

/** Claims are whole seconds, and two machines' clocks rarely agree better. */
export const clockToleranceMs = 1000

export function signRules ({ jwtIssuer, jwtAudience }: Rules): NonNullable<FastifyJWTOptions['sign']> {
  return {
    ...(jwtIssuer === undefined ? {} : { iss: jwtIssuer }),
    ...(jwtAudience === undefined ? {} : { aud: jwtAudience }),
  }
}

function keyFetcher (keySet: KeySet | undefined) {
  return async ({ header }: { header: Record<string, unknown> }): Promise<string> => {
    const key = await keySet?.find(header.kid)
    if (key === undefined) throw new UnknownKey('No such key')
    if (key.algorithm !== header.alg) throw new UnknownKey('Not the algorithm of this key')
    return key.pem
  }
}
