import fastifyJwt, { type FastifyJWTOptions } from '@fastify/jwt'
import fastify from 'fastify'
import { type SigningKey, type SigningSettings, signingKey } from './keys.ts'
import { type Rules, type Scope, type SignedToken, signRules, signToken, verifyRules } from './token.ts'

/**
 * Signs a token as an owner of the keys does, apart from any server.
 *
 * @throws FatalError when no key is configured, or not the one that the server would accept
 */
export async function signWithConfiguredKey (
  config: SigningSettings & Rules, subject: string, scopes: readonly Scope[], ttlMs: number
): Promise<SignedToken> {
  // @fastify/jwt lives in an app; this one never listens.
  const app = fastify()
  await app.register(fastifyJwt, signOptions(config, signingKey(config)))
  const signed = signToken(app.jwt, subject, scopes, ttlMs)
  await app.close()
  return signed
}

function signOptions (rules: Rules, { algorithm, privateKey, publicKey }: SigningKey): FastifyJWTOptions {
  return {
    secret: { private: privateKey, public: publicKey },
    verify: { ...verifyRules(rules), algorithms: [algorithm] },
    sign: { algorithm, ...signRules(rules) },
  }
}
