import fastifyJwt from '@fastify/jwt'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { KeySet } from '../auth/key-set.ts'
import { type VerifyingKey, verifyingKey } from '../auth/keys.ts'
import { type Scope, scopes, signToken, verifyOptions } from '../auth/token.ts'
import { type Verdict, Verifier } from '../auth/verifier.ts'
import type { Config } from '../config.ts'
import { ApiError } from '../errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a token must allow to use this route, which is then rate-limited too; without it the route is open. */
    scope?: Scope
  }
  interface FastifyRequest {
    /** The `sub` of a verified token. */
    subject: string | undefined
    /** What is known of the caller's token; undefined when none was sent. */
    verdict: Verdict | undefined
  }
  interface FastifyInstance {
    /** A token for every scope, where no key was configured and one was made for this run. */
    firstRunToken: string | undefined
  }
}

type AuthConfig = Pick<Config, 'auth' | 'nodeEnv' | 'jwtJwksUrl' | 'jwtPublicKey' | 'jwtSecret' | 'jwtIssuer' | 'jwtAudience'>

export interface AuthOptions {
  config: AuthConfig
  /** The key of this run where none is configured, if other processes have it too. */
  firstRunSecret?: string | undefined
}

const firstRunTtlMs = 12 * 3_600_000

/**
 * Tells who calls in onRequest and refuses in preParsing: after the rate limit, which wants to know
 * the subject and has to count bad tokens too, and before the body is read.
 *
 * @throws FatalError at start for a key that cannot be used, or none in production
 */
export default fp<AuthOptions>(async (app, { config, firstRunSecret }) => {
  app.decorateRequest('subject', undefined)
  app.decorateRequest('verdict', undefined)
  if (config.auth === 'off') {
    app.decorate('firstRunToken', undefined)
    return
  }
  const key = verifyingKey(config, firstRunSecret)
  const verifier = await addVerifier(app, config, key)
  // With a random secret nothing else can sign, so this token allows everything.
  const firstRun = key.kind === 'secret' && key.firstRun
  app.decorate('firstRunToken', firstRun ? signToken(app.jwt, 'first-run', scopes, firstRunTtlMs).token : undefined)

  app.addHook('onRequest', (request, _reply, done) => {
    const token = request.routeOptions.config.scope === undefined ? undefined : bearerToken(request.headers.authorization)
    if (token === undefined) return done()
    const know = (verdict: Verdict): void => {
      request.verdict = verdict
      if (verdict.kind === 'identity') request.subject = verdict.subject
      done()
    }
    const verdict = verifier.verify(token)
    if (verdict instanceof Promise) verdict.then(know, done)
    else know(verdict)
  })

  app.addHook('preParsing', (request, _reply, _payload, done) => {
    const { scope } = request.routeOptions.config
    done(scope === undefined ? null : refusal(request.verdict, scope))
  })
}, { name: 'auth', fastify: '5.x' })

async function addVerifier (app: FastifyInstance, config: AuthConfig, key: VerifyingKey): Promise<Verifier> {
  const keySet = key.kind === 'jwks'
    ? new KeySet({ url: key.url, log: app.log, onChange: () => verifier.forget() })
    : undefined
  const verifier: Verifier = new Verifier(token => app.jwt.verify(token))
  await app.register(fastifyJwt, verifyOptions(config, key, keySet))
  // A start does not wait for another service; the first token does.
  keySet?.refresh()
  app.addHook('onClose', async () => keySet?.close())
  return verifier
}

/** The token of `Authorization: Bearer <token>`; undefined when the header is absent or of another scheme. */
function bearerToken (header: string | undefined): string | undefined {
  return header !== undefined && /^bearer(?: |$)/i.test(header) ? header.slice(7) : undefined
}

function refusal (verdict: Verdict | undefined, scope: Scope): ApiError | null {
  switch (verdict?.kind) {
    case undefined: return new ApiError('UNAUTHENTICATED', 'Send a token: Authorization: Bearer <token>', challenge())
    case 'refused': return new ApiError('UNAUTHENTICATED', verdict.reason, challenge(`error="invalid_token", error_description="${verdict.reason}"`))
    // A 401 would make clients throw away a token that may be good.
    case 'unchecked': return new ApiError('KEYS_UNAVAILABLE', verdict.reason, { headers: { 'retry-after': String(verdict.retryAfterSeconds) } })
    case 'identity': return verdict.scopes.has(scope)
      ? null
      : new ApiError('FORBIDDEN', `This needs a token with the scope ${scope}`, challenge(`error="insufficient_scope", scope="${scope}"`))
  }
}

function challenge (parameters?: string): { headers: { 'www-authenticate': string } } {
  return { headers: { 'www-authenticate': `Bearer realm="modelport"${parameters === undefined ? '' : `, ${parameters}`}` } }
}
