import { createPrivateKey, createPublicKey, type KeyObject, randomBytes } from 'node:crypto'
import type { Config } from '../config.ts'
import { FatalError } from '../errors.ts'

export type Algorithm = 'HS256' | 'RS256' | 'ES256' | 'EdDSA'

/** What tokens are checked with. The algorithm follows from the key, so that no token can choose it. */
export type VerifyingKey =
  | { kind: 'jwks', url: string }
  | { kind: 'public', algorithm: Algorithm, pem: string }
  /** `firstRun`: made for this run only, because none was configured. */
  | { kind: 'secret', algorithm: 'HS256', secret: string, firstRun: boolean }

/** What tokens are signed with. For HS256 both halves are the secret. */
export interface SigningKey { algorithm: Algorithm, privateKey: string, publicKey: string }

type VerifyingSettings = Pick<Config, 'nodeEnv' | 'jwtJwksUrl' | 'jwtPublicKey' | 'jwtSecret'>
export type SigningSettings = Pick<Config, 'jwtJwksUrl' | 'jwtPublicKey' | 'jwtPrivateKey' | 'jwtSecret'>

const kinds = 'an RSA key of at least 2048 bits, an EC key on P-256 or an Ed25519 key'

/**
 * The key that the server checks with, the first that is set.
 *
 * @param firstRunSecret the key of this run where none is set, if other processes have it too
 * @throws FatalError when the key cannot be used, or none is set in production
 */
export function verifyingKey (config: VerifyingSettings, firstRunSecret = randomBytes(32).toString('base64url')): VerifyingKey {
  if (config.jwtJwksUrl !== undefined) return { kind: 'jwks', url: config.jwtJwksUrl }
  if (config.jwtPublicKey !== undefined) return { kind: 'public', ...readPublicKey(config.jwtPublicKey) }
  if (config.jwtSecret !== undefined) return { kind: 'secret', algorithm: 'HS256', secret: readSecret(config.jwtSecret), firstRun: false }
  if (config.nodeEnv === 'production') {
    throw new FatalError('AUTH=jwt needs a key when NODE_ENV=production: set JWT_JWKS_URL, JWT_PUBLIC_KEY or JWT_SECRET (or AUTH=off)')
  }
  return { kind: 'secret', algorithm: 'HS256', secret: firstRunSecret, firstRun: true }
}

/**
 * The key that `modelport token` signs with: the private key, else the secret.
 *
 * @throws FatalError when none is set, or the server with these settings would refuse what it signs
 */
export function signingKey (config: SigningSettings): SigningKey {
  if (config.jwtPrivateKey !== undefined) return readPrivateKey(config.jwtPrivateKey, config.jwtPublicKey)
  const other = config.jwtJwksUrl !== undefined ? 'JWT_JWKS_URL' : config.jwtPublicKey !== undefined ? 'JWT_PUBLIC_KEY' : undefined
  if (other !== undefined) throw new FatalError(`The server checks tokens with ${other}: set JWT_PRIVATE_KEY to the private key that belongs to it`)
  if (config.jwtSecret === undefined) throw new FatalError('No key to sign with: set JWT_PRIVATE_KEY or JWT_SECRET, the same as for the server')
  const secret = readSecret(config.jwtSecret)
  return { algorithm: 'HS256', privateKey: secret, publicKey: secret }
}

/** The algorithm that a key is for; undefined when it is for none of ours. */
export function algorithmOf (key: KeyObject): Algorithm | undefined {
  switch (key.asymmetricKeyType) {
    case 'rsa': return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? 'RS256' : undefined
    case 'ec': return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined
    case 'ed25519': return 'EdDSA'
    default: return undefined
  }
}

export function toPem (key: KeyObject): string {
  return key.export({ type: 'spki', format: 'pem' }).toString()
}

function readPublicKey (pem: string): { algorithm: Algorithm, pem: string } {
  const expected = `expected the PEM of ${kinds}`
  // Node would take the public half of it without a word; a private key has no business on the server.
  if (pem.includes('PRIVATE KEY-----')) throw new FatalError(`JWT_PUBLIC_KEY holds a private key; ${expected}, the public half only`)
  const key = parse('JWT_PUBLIC_KEY', expected, () => createPublicKey(pem))
  return { algorithm: algorithmFor('JWT_PUBLIC_KEY', key), pem: toPem(key) }
}

function readPrivateKey (pem: string, configuredPublicKey: string | undefined): SigningKey {
  const key = parse('JWT_PRIVATE_KEY', `expected the PEM of ${kinds}, without a passphrase`, () => createPrivateKey(pem))
  const algorithm = algorithmFor('JWT_PRIVATE_KEY', key)
  const publicKey = toPem(createPublicKey(key))
  if (configuredPublicKey !== undefined && readPublicKey(configuredPublicKey).pem !== publicKey) {
    throw new FatalError('JWT_PRIVATE_KEY does not belong to JWT_PUBLIC_KEY: the server would refuse what it signs')
  }
  return { algorithm, privateKey: key.export({ type: 'pkcs8', format: 'pem' }).toString(), publicKey }
}

function readSecret (secret: string): string {
  // A public key as a shared secret would let everyone who knows it sign.
  if (secret.includes('-----BEGIN ')) throw new FatalError('JWT_SECRET holds a PEM key; expected a shared secret (a public key belongs in JWT_PUBLIC_KEY)')
  return secret
}

function parse (name: string, expected: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    // The cause stays out: it may quote the key.
    throw new FatalError(`${name} cannot be read; ${expected}`)
  }
}

function algorithmFor (name: string, key: KeyObject): Algorithm {
  const algorithm = algorithmOf(key)
  if (algorithm === undefined) throw new FatalError(`${name} is a key of the wrong kind (${key.asymmetricKeyType}); expected ${kinds}`)
  return algorithm
}
