import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type Config, loadConfig, settings } from '../src/config.ts'
import { FatalError } from '../src/errors.ts'

/** What a start with this environment says before it ends. */
function complaint (env: Record<string, string>): string {
  try {
    loadConfig(env)
  } catch (error) {
    expect(error).toBeInstanceOf(FatalError)
    return (error as Error).message
  }
  throw new Error('the settings were accepted')
}

function fileWith (text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelport-test-'))
  onTestFinished(() => { rmSync(folder, { recursive: true }) })
  writeFileSync(join(folder, 'secret'), text)
  return join(folder, 'secret')
}

const secret = 'a secret of at least thirty-two bytes'

test('without any variable the defaults hold', () => {
  expect(loadConfig({})).toEqual({
    nodeEnv: undefined,
    port: 8000,
    host: '127.0.0.1',
    logLevel: 'info',
    accessLog: true,
    logInputs: false,
    modelsDir: './models',
    modelsPollSeconds: undefined,
    modelsCacheDir: undefined,
    defaultModel: undefined,
    httpWorkers: undefined,
    inferenceThreads: undefined,
    bodyLimit: 10 * 1024 * 1024,
    maxRows: 10_000,
    requestTimeoutMs: 10_000,
    shutdownGraceMs: 25_000,
    auth: 'jwt',
    jwtJwksUrl: undefined,
    jwtPublicKey: undefined,
    jwtSecret: undefined,
    jwtPrivateKey: undefined,
    jwtIssuer: undefined,
    jwtAudience: undefined,
    rateLimitMax: 1000,
    rateLimitWindow: 60_000,
    redisUrl: undefined,
    trustProxy: false,
    corsOrigin: undefined,
    metricsAuth: undefined,
    metricsEmf: undefined,
    metricsEmfSeconds: 60,
    sagemaker: false,
    aipHealthRoute: undefined,
    aipPredictRoute: undefined,
  } satisfies Config)
})

test('an empty value counts as unset, for every setting and its other names', () => {
  const names = Object.entries(settings).flatMap(([name, setting]) => [name, `${name}_FILE`, ...('aliases' in setting ? setting.aliases ?? [] : [])])
  expect(loadConfig(Object.fromEntries(names.map(name => [name, ''])))).toEqual(loadConfig({}))
})

test('nobody can change it afterwards', () => {
  expect(Object.isFrozen(loadConfig({}))).toBe(true)
})

describe('a value is read', () => {
  test.each<[env: Record<string, string>, config: Partial<Config>]>([
    [{ NODE_ENV: 'production' }, { nodeEnv: 'production' }],
    [{ NODE_ENV: 'whatever the platform sets' }, { nodeEnv: 'whatever the platform sets' }],
    [{ PORT: '0' }, { port: 0 }],
    [{ APP_PORT: '9000' }, { port: 9000 }],
    [{ PORT: '', APP_PORT: '9000' }, { port: 9000 }],
    [{ PORT: '8001', APP_PORT: '9000' }, { port: 8001 }],
    [{ HOST: '0.0.0.0' }, { host: '0.0.0.0' }],
    [{ LOG_LEVEL: 'silent' }, { logLevel: 'silent' }],
    [{ ACCESS_LOG: 'off', LOG_INPUTS: 'on' }, { accessLog: false, logInputs: true }],
    [{ MODELS_DIR: '/srv/my models' }, { modelsDir: '/srv/my models' }],
    [{ HTTP_WORKERS: '1', INFERENCE_THREADS: '4' }, { httpWorkers: 1, inferenceThreads: 4 }],
    [{ BODY_LIMIT: '512' }, { bodyLimit: 512 }],
    [{ BODY_LIMIT: '512b' }, { bodyLimit: 512 }],
    [{ BODY_LIMIT: '1.5 kb' }, { bodyLimit: 1536 }],
    [{ BODY_LIMIT: '20MB' }, { bodyLimit: 20 * 1024 * 1024 }],
    [{ BODY_LIMIT: '1gb' }, { bodyLimit: 1024 ** 3 }],
    [{ REQUEST_TIMEOUT_MS: '2147483647' }, { requestTimeoutMs: 2 ** 31 - 1 }],
    [{ AUTH: 'off' }, { auth: 'off' }],
    [{ JWT_SECRET: secret }, { jwtSecret: secret }],
    [{ JWT_SECRET: '€'.repeat(11) }, { jwtSecret: '€'.repeat(11) }],
    [{ JWT_SECRET: String.raw`a backslash\nstays as it is in a secret` }, { jwtSecret: String.raw`a backslash\nstays as it is in a secret` }],
    [{ JWT_PUBLIC_KEY: String.raw`-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----\n` }, { jwtPublicKey: '-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----\n' }],
    [{ JWT_JWKS_URL: 'https://issuer.example/keys' }, { jwtJwksUrl: 'https://issuer.example/keys' }],
    [{ RATE_LIMIT_WINDOW: '500ms' }, { rateLimitWindow: 500 }],
    [{ RATE_LIMIT_WINDOW: '30s' }, { rateLimitWindow: 30_000 }],
    [{ RATE_LIMIT_WINDOW: '30 seconds' }, { rateLimitWindow: 30_000 }],
    [{ RATE_LIMIT_WINDOW: '1.5 min' }, { rateLimitWindow: 90_000 }],
    [{ RATE_LIMIT_WINDOW: ' 10 Minutes ' }, { rateLimitWindow: 600_000 }],
    [{ RATE_LIMIT_WINDOW: '12h' }, { rateLimitWindow: 12 * 3_600_000 }],
    [{ RATE_LIMIT_WINDOW: '1 hour' }, { rateLimitWindow: 3_600_000 }],
    [{ RATE_LIMIT_WINDOW: '7d' }, { rateLimitWindow: 7 * 86_400_000 }],
    [{ REDIS_URL: 'rediss://user:password@cache.example:6380/0' }, { redisUrl: 'rediss://user:password@cache.example:6380/0' }],
    [{ TRUST_PROXY: 'off' }, { trustProxy: false }],
    [{ TRUST_PROXY: '2' }, { trustProxy: 2 }],
    [{ TRUST_PROXY: '10.0.0.0/8, 192.168.1.1,::1,fd00::/8' }, { trustProxy: ['10.0.0.0/8', '192.168.1.1', '::1', 'fd00::/8'] }],
    [{ METRICS_EMF: 'team/modelport:prod#1', METRICS_EMF_SECONDS: '10' }, { metricsEmf: 'team/modelport:prod#1', metricsEmfSeconds: 10 }],
    [{ CORS_ORIGIN: '*' }, { corsOrigin: '*' }],
    [{ CORS_ORIGIN: 'https://a.example, http://localhost:3000' }, { corsOrigin: 'https://a.example,http://localhost:3000' }],
    [{ METRICS_AUTH: 'off' }, { metricsAuth: 'off' }],
    [{ SAGEMAKER: 'on' }, { sagemaker: true }],
    [{ AIP_HTTP_PORT: '8080', AIP_HEALTH_ROUTE: '/ping', AIP_PREDICT_ROUTE: '/v1/endpoints/1/deployedModels/2:predict' }, { port: 8080, aipHealthRoute: '/ping', aipPredictRoute: '/v1/endpoints/1/deployedModels/2:predict' }],
  ])('%j', (env, config) => {
    expect(loadConfig(env)).toEqual({ ...loadConfig({}), ...config })
  })
})

const numberOf = (name: string, from: number, to: number): [string, string[], string] =>
  [name, ['-1', '1.5', '1e3', '0x10', ' 1', 'one', String(from - 1), String(to + 1), '9'.repeat(20)], `a whole number from ${from} to ${to}`]

const milliseconds = (name: string): [string, string[], string] =>
  [name, ['0', '1s', '-5', '1.5', '2147483648'], 'milliseconds, a whole number from 1 to 2147483647']

const oneOf = (name: string, ...choices: string[]): [string, string[], string] =>
  [name, ['true', '1', 'yes', choices[0]!.toUpperCase(), `${choices[0]} `], choices.join(', ')]

const refusals: [name: string, wrong: string[], allowed: string][] = [
  numberOf('PORT', 0, 65_535),
  oneOf('LOG_LEVEL', 'fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  oneOf('ACCESS_LOG', 'on', 'off'),
  oneOf('LOG_INPUTS', 'on', 'off'),
  ['MODELS_DIR', ['s3:bucket', 's3://', 's3:///models', 's3://Bucket/models', 's3://ab', 's3://key:secret@bucket'], 'a folder, or s3://bucket/prefix'],
  numberOf('MODELS_POLL_SECONDS', 0, 86_400),
  numberOf('HTTP_WORKERS', 1, 256),
  numberOf('INFERENCE_THREADS', 1, 256),
  ['BODY_LIMIT', ['0', '0.5', '10 megabytes', 'mb', '-1kb', '1e3', '10mb!', '9999999999gb'], 'a size such as 500kb, 10mb or 1gb'],
  numberOf('MAX_ROWS', 1, 10_000_000),
  milliseconds('REQUEST_TIMEOUT_MS'),
  milliseconds('SHUTDOWN_GRACE_MS'),
  oneOf('AUTH', 'jwt', 'off'),
  ['JWT_JWKS_URL', ['issuer.example/keys', 'ftp://issuer.example/keys', 'https:issuer.example', 'https://', 'file:///etc/keys'], 'an address that begins with http:// or https://'],
  ['JWT_SECRET', ['short', 'x'.repeat(31), '€'.repeat(10)], 'at least 32 bytes'],
  numberOf('RATE_LIMIT_MAX', 1, 1_000_000_000),
  ['RATE_LIMIT_WINDOW', ['60', '0s', '-1s', '0.4ms', '1 fortnight', 'minute', '1 minute 30 s', '1hs', 'constructor'], 'a time such as 500ms, 30s, 1 minute, 12h or 7d'],
  ['REDIS_URL', ['localhost:6379', 'redis:localhost', 'http://localhost:6379', 'redis'], 'an address that begins with redis:// or rediss://'],
  ['TRUST_PROXY', ['on', 'true', '*', '0', '33', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0', 'loopback', '10.0.0.1,', '10.0.0.0/-1'], 'off, a number of hops from 1 to 32, or addresses and CIDRs with commas'],
  ['CORS_ORIGIN', ['app.example', 'https://app.example/', 'https://app.example/path', 'https://app.example:443', 'HTTPS://app.example', 'null', 'https://a.example,*', 'https://a.example,', 'https://a.example https://b.example'], 'origins such as https://app.example.com with commas, or *'],
  oneOf('METRICS_AUTH', 'on', 'off'),
  ['METRICS_EMF', ['on off', 'AWS/ECS', ':a', 'größe', 'a,b', 'n'.repeat(256)], '1 to 255 letters, digits and . - _ / # :, not beginning with AWS/ or :'],
  numberOf('METRICS_EMF_SECONDS', 1, 3600),
  oneOf('SAGEMAKER', 'on', 'off'),
  ...['AIP_HEALTH_ROUTE', 'AIP_PREDICT_ROUTE'].map((name): [string, string[], string] =>
    [name, ['predict', 'http://a/b', '/a b', '/a?b', '/a#b', '/a/*', '/%61', '/ä'], 'a path that begins with / and has only letters, digits and . _ ~ : @ / -']),
]

describe('a wrong value stops the start', () => {
  test.each(refusals.flatMap(([name, values, allowed]) => values.map(value => [name, value, allowed] as const)))('%s=%j', (name, value, allowed) => {
    const [head, line, ...more] = complaint({ [name]: value }).split('\n')
    expect(head).toBe('Wrong settings:')
    expect(line).toMatch(new RegExp(`^ {2}${name}: .+ \\(allowed: `))
    expect(line).toContain(`(allowed: ${allowed})`)
    expect(more).toEqual([])
  })

  test('for every setting that is not free text', () => {
    const free = ['NODE_ENV', 'HOST', 'MODELS_CACHE_DIR', 'DEFAULT_MODEL', 'JWT_PUBLIC_KEY', 'JWT_PRIVATE_KEY', 'JWT_ISSUER', 'JWT_AUDIENCE']
    expect([...refusals.map(([name]) => name), ...free].sort()).toEqual(Object.keys(settings).sort())
  })

  test('all of them in one message, a line each', () => {
    expect(complaint({ PORT: 'http', AUTH: 'none', TRUST_PROXY: 'true' })).toBe([
      'Wrong settings:',
      '  PORT: "http" is not allowed (allowed: a whole number from 0 to 65535)',
      '  AUTH: "none" is not allowed (allowed: jwt, off)',
      '  TRUST_PROXY: "true" is neither an address nor a CIDR (allowed: off, a number of hops from 1 to 32, or addresses and CIDRs with commas)',
    ].join('\n'))
  })

  test('under the name that was set', () => {
    expect(complaint({ APP_PORT: 'http' })).toContain('  APP_PORT: "http" is not allowed')
  })
})

describe('a secret', () => {
  test.each<[name: string, key: keyof Config, text: string]>([
    ['JWT_SECRET', 'jwtSecret', secret],
    ['JWT_PUBLIC_KEY', 'jwtPublicKey', '-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----'],
    ['JWT_PRIVATE_KEY', 'jwtPrivateKey', '-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----'],
    ['REDIS_URL', 'redisUrl', 'redis://:password@cache.example'],
  ])('may stand in the file that %s_FILE names, with a line break at its end', (name, key, text) => {
    expect(loadConfig({ [`${name}_FILE`]: fileWith(`${text}\n`) })[key]).toBe(text)
  })

  test('of the variable comes before that of the file', () => {
    expect(loadConfig({ JWT_SECRET: secret, JWT_SECRET_FILE: '/nowhere' }).jwtSecret).toBe(secret)
  })

  test('is not looked for in a file for what is no secret', () => {
    expect(loadConfig({ PORT_FILE: '/nowhere', JWT_ISSUER_FILE: '/nowhere' })).toEqual(loadConfig({}))
  })

  test.each<[what: string, file: () => string, fault: string]>([
    ['that is not there', () => '/nowhere/secret', 'the file cannot be read: ENOENT'],
    ['that is a folder', () => tmpdir(), 'the file cannot be read: EISDIR'],
    ['that is empty, as after a mount that failed', () => fileWith(' \n'), 'the file is empty'],
    ['whose secret is too short', () => fileWith('short'), 'has 5 bytes'],
  ])('in a file %s stops the start', (_what, file, fault) => {
    expect(complaint({ JWT_SECRET_FILE: file() })).toBe(`Wrong settings:\n  JWT_SECRET_FILE: ${fault} (allowed: at least 32 bytes)`)
  })

  test('never stands in a message', () => {
    const hidden = fc.stringMatching(/^[A-Za-z0-9]{8,31}$/).filter(text => !'at least 32 bytes an address that begins with'.includes(text))
    fc.assert(fc.property(hidden, text => {
      const message = complaint({ JWT_SECRET: text, REDIS_URL: `http://:${text}@cache.example` })
      expect(message).toContain('JWT_SECRET: ')
      expect(message).toContain('REDIS_URL: ')
      expect(message).not.toContain(text)
    }))
  })
})

test('any text is read or refused by name, never anything else', () => {
  const names = Object.keys(settings)
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.:/ a-z]{0,12}$/))
  fc.assert(fc.property(fc.constantFrom(...names), text, (name, value) => {
    try {
      loadConfig({ [name]: value })
    } catch (error) {
      expect(error).toBeInstanceOf(FatalError)
      expect((error as Error).message).toContain(`  ${name}: `)
    }
  }), { numRuns: 1000 })
})
