import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from 'node:crypto'

/** An asymmetric key pair as its owner and as a server sees it. */
export interface KeyPair {
  algorithm: 'RS256' | 'ES256' | 'EdDSA'
  privateKey: KeyObject
  privatePem: string
  publicPem: string
  jwk: JsonWebKey
}

export function rsaPair (bits = 2048): KeyPair {
  return pair('RS256', generateKeyPairSync('rsa', { modulusLength: bits }))
}

export function ecPair (namedCurve = 'P-256'): KeyPair {
  return pair('ES256', generateKeyPairSync('ec', { namedCurve }))
}

export function edPair (): KeyPair {
  return pair('EdDSA', generateKeyPairSync('ed25519'))
}

function pair (algorithm: KeyPair['algorithm'], { privateKey, publicKey }: { privateKey: KeyObject, publicKey: KeyObject }): KeyPair {
  return {
    algorithm,
    privateKey,
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    jwk: publicKey.export({ format: 'jwk' }),
  }
}

export function nowSeconds (): number {
  return Math.floor(Date.now() / 1000)
}

/** Claims of a token that is good for an hour; a claim set to undefined is left out. */
export function claims (more: Record<string, unknown> = {}): Record<string, unknown> {
  return { sub: 'alice', scope: 'predict', exp: nowSeconds() + 3600, ...more }
}

/** Signs by hand, apart from the library under test, so that a test can also build what no library would sign. */
export function jwt (payload: object, key: string | KeyPair, header: Record<string, unknown> = {}): string {
  const alg = typeof key === 'string' ? 'HS256' : key.algorithm
  const input = `${encode({ alg, typ: 'JWT', ...header })}.${encode(payload)}`
  return `${input}.${signature(input, key).toString('base64url')}`
}

function encode (part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function signature (input: string, key: string | KeyPair): Buffer {
  if (typeof key === 'string') return createHmac('sha256', key).update(input).digest()
  const data = Buffer.from(input)
  return key.algorithm === 'EdDSA'
    ? sign(null, data, key.privateKey)
    : sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
}
