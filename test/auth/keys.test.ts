import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { signingKey, verifyingKey } from '../../src/auth/keys.ts'
import { loadConfig } from '../../src/config.ts'
import { FatalError } from '../../src/errors.ts'
import { ecPair, edPair, rsaPair } from '../helpers/keys.ts'

const secret = 'a secret of at least thirty-two bytes'
const rsa = rsaPair()
const ec = ecPair()
const ed = edPair()
const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'pem' }).toString()
const locked = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'a passphrase' }).toString()

describe('the key that the server checks with', () => {
  const all = { JWT_JWKS_URL: 'https://issuer.example/keys', JWT_PUBLIC_KEY: ec.publicPem, JWT_SECRET: secret }

  test.each([
    ['the JWKS address', all, { kind: 'jwks', url: 'https://issuer.example/keys' }],
    ['else the public key', { ...all, JWT_JWKS_URL: '' }, { kind: 'public', algorithm: 'ES256' }],
    ['else the secret', { JWT_SECRET: secret }, { kind: 'secret', algorithm: 'HS256', secret, firstRun: false }],
    ['else one for this run', {}, { kind: 'secret', algorithm: 'HS256', firstRun: true }],
  ])('is %s', (_name, env, expected) => {
    expect(verifyingKey(loadConfig(env))).toMatchObject(expected)
  })

  test.each([['RSA', rsa], ['P-256', ec], ['Ed25519', ed]])('has the algorithm of its kind: %s', (_name, pair) => {
    expect(verifyingKey(loadConfig({ JWT_PUBLIC_KEY: pair.publicPem }))).toMatchObject({ algorithm: pair.algorithm })
  })

  test('may stand on one line, as environment files hold it', () => {
    const line = ec.publicPem.replaceAll('\n', '\\n')
    expect(verifyingKey(loadConfig({ JWT_PUBLIC_KEY: line }))).toEqual({ kind: 'public', algorithm: 'ES256', pem: ec.publicPem })
  })

  test.each([
    ['no PEM', { JWT_PUBLIC_KEY: 'rubbish' }, 'JWT_PUBLIC_KEY cannot be read; expected the PEM of an RSA key'],
    ['a truncated PEM', { JWT_PUBLIC_KEY: rsa.publicPem.slice(0, 200) }, 'JWT_PUBLIC_KEY cannot be read'],
    ['a private key', { JWT_PUBLIC_KEY: rsa.privatePem }, 'JWT_PUBLIC_KEY holds a private key'],
    ['a short RSA key', { JWT_PUBLIC_KEY: rsaPair(1024).publicPem }, 'JWT_PUBLIC_KEY is a key of the wrong kind (rsa)'],
    ['another curve', { JWT_PUBLIC_KEY: ecPair('P-384').publicPem }, 'JWT_PUBLIC_KEY is a key of the wrong kind (ec)'],
    ['an RSA key for PSS only', { JWT_PUBLIC_KEY: pss }, 'JWT_PUBLIC_KEY is a key of the wrong kind (rsa-pss)'],
    ['a public key as the secret', { JWT_SECRET: rsa.publicPem }, 'JWT_SECRET holds a PEM key'],
    ['none in production', { NODE_ENV: 'production' }, 'set JWT_JWKS_URL, JWT_PUBLIC_KEY or JWT_SECRET'],
  ])('%s stops the start with the setting and what is expected', (_name, env, message) => {
    const read = () => verifyingKey(loadConfig(env))
    expect(read).toThrow(FatalError)
    expect(read).toThrow(message)
  })
})

describe('the key that the command line signs with', () => {
  test.each([
    ['the private key', { JWT_PRIVATE_KEY: ed.privatePem, JWT_SECRET: secret }, { algorithm: 'EdDSA', privateKey: ed.privatePem, publicKey: ed.publicPem }],
    ['the private key that belongs to the public one', { JWT_PRIVATE_KEY: rsa.privatePem, JWT_PUBLIC_KEY: rsa.publicPem }, { algorithm: 'RS256' }],
    ['else the secret', { JWT_SECRET: secret }, { algorithm: 'HS256', privateKey: secret, publicKey: secret }],
  ])('is %s', (_name, env, expected) => {
    expect(signingKey(loadConfig(env))).toMatchObject(expected)
  })

  test.each([
    ['none', {}, 'set JWT_PRIVATE_KEY or JWT_SECRET'],
    ['a secret, where the server checks with a public key', { JWT_PUBLIC_KEY: ec.publicPem, JWT_SECRET: secret }, 'The server checks tokens with JWT_PUBLIC_KEY'],
    ['a secret, where the server checks with a JWKS address', { JWT_JWKS_URL: 'https://issuer.example/keys', JWT_SECRET: secret }, 'The server checks tokens with JWT_JWKS_URL'],
    ['a private key that belongs to another public one', { JWT_PRIVATE_KEY: ec.privatePem, JWT_PUBLIC_KEY: ecPair().publicPem }, 'does not belong to JWT_PUBLIC_KEY'],
    ['a public key', { JWT_PRIVATE_KEY: ec.publicPem }, 'JWT_PRIVATE_KEY cannot be read'],
    ['a key with a passphrase', { JWT_PRIVATE_KEY: locked }, 'without a passphrase'],
    ['another curve', { JWT_PRIVATE_KEY: ecPair('P-384').privatePem }, 'JWT_PRIVATE_KEY is a key of the wrong kind (ec)'],
  ])('%s is refused', (_name, env, message) => {
    const read = () => signingKey(loadConfig(env))
    expect(read).toThrow(FatalError)
    expect(read).toThrow(message)
  })

  test('no message holds the key', () => {
    const body = locked.split('\n')[1] ?? ''
    expect(() => signingKey(loadConfig({ JWT_PRIVATE_KEY: locked }))).toThrow(expect.not.objectContaining({ message: expect.stringContaining(body) }))
  })
})
