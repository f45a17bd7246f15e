import { readFileSync } from 'node:fs'
import { FatalError } from './errors.ts'
import { type Kind, bytes, choice, duration, integer, milliseconds, namespace, onOff, origins, path, pathOrS3, pem, proxies, route, secret, text, url } from './config-kinds.ts'

interface Setting<T> extends Kind<T> {
  /** What an unset variable means, as one would write it in the environment; undefined: nothing. */
  default?: string
  /** One line for .env.example and the documents. */
  about: string
  /** Older or platform names that count when the first is unset. */
  aliases?: readonly string[]
}

function setting<T> (kind: Kind<T>, about: string, more: { aliases?: readonly string[] } & { default: string }): Setting<T> & { default: string }
function setting<T> (kind: Kind<T>, about: string, more?: { aliases?: readonly string[] }): Setting<T>
function setting<T> (kind: Kind<T>, about: string, more: { aliases?: readonly string[], default?: string } = {}): Setting<T> {
  return { ...kind, about, ...more }
}

/** Every setting, once: the Config type, .env.example, docs/settings.md and README's table follow from it. */
export const settings = {
  NODE_ENV: setting(text(), '`production` makes a key for AUTH=jwt mandatory'),
  PORT: setting(integer(0, 65535), 'Port to listen on', { aliases: ['APP_PORT', 'AIP_HTTP_PORT'], default: '8000' }),
  HOST: setting(text(), 'Address to listen on; `0.0.0.0` in the image', { default: '127.0.0.1' }),
  LOG_LEVEL: setting(choice('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'), 'Least severe log line that is written', { default: 'info' }),
  ACCESS_LOG: setting(onOff(), 'One log line per request', { default: 'on' }),
  LOG_INPUTS: setting(onOff(), 'Feature values in the access log: personal data may be among them', { default: 'off' }),
  MODELS_DIR: setting(pathOrS3(), 'The model repository; `/models` in the image', { default: './models' }),
  MODELS_POLL_SECONDS: setting(integer(0, 86_400), 'How often the repository is looked at for new versions and aliases; 0: never; unset: every 30 seconds on S3, never in a folder'),
  MODELS_CACHE_DIR: setting(path(), 'Where copies of models on S3 are kept; unset: below the system\'s folder for temporary files'),
  DEFAULT_MODEL: setting(text(), 'The model that `/predict` means; else `models/repository.json`, else the only one'),
  HTTP_WORKERS: setting(integer(1, 256), 'Processes that answer on the one port; unset: one per CPU of the quota'),
  INFERENCE_THREADS: setting(integer(1, 256), 'Worker threads for heavy runs; else from the CPU quota'),
  BODY_LIMIT: setting(bytes(), 'Largest request body', { default: '10mb' }),
  MAX_ROWS: setting(integer(1, 10_000_000), 'Most rows in one request', { default: '10000' }),
  REQUEST_TIMEOUT_MS: setting(milliseconds(), 'Longest an inference may take before the answer is 504', { default: '10000' }),
  SHUTDOWN_GRACE_MS: setting(milliseconds(), 'Longest a shutdown waits for answers under way', { default: '25000' }),
  AUTH: setting(choice('jwt', 'off'), '`jwt`: every prediction needs a token; `off` says so in the log at every start', { default: 'jwt' }),
  JWT_JWKS_URL: setting(url('http:', 'https:'), 'Where the public keys are (RS256, ES256, EdDSA); comes before the other keys'),
  JWT_PUBLIC_KEY: setting(pem(), 'PEM public key (RS256, ES256, EdDSA); comes before JWT_SECRET'),
  JWT_SECRET: setting(secret(32), 'Shared secret for HS256, at least 32 bytes'),
  JWT_PRIVATE_KEY: setting(pem(), 'PEM private key that `modelport token` signs with; the server does not need it'),
  JWT_ISSUER: setting(text(), 'Required `iss` of a token, when set'),
  JWT_AUDIENCE: setting(text(), 'Required `aud` of a token, when set'),
  RATE_LIMIT_MAX: setting(integer(1, 1_000_000_000), 'Requests per window for one token subject, or one address without a token', { default: '1000' }),
  RATE_LIMIT_WINDOW: setting(duration(), 'The window of the rate limit', { default: '1 minute' }),
  REDIS_URL: setting({ ...url('redis:', 'rediss:'), secret: true }, 'Shares the rate limit between servers; without it each counts for itself'),
  TRUST_PROXY: setting(proxies(), 'Which proxies\' X-Forwarded-For counts: `off`, a number of hops, or addresses and CIDRs with commas', { default: 'off' }),
  CORS_ORIGIN: setting(origins(), 'Origins that browsers may call from, with commas, or `*`; unset: CORS is off'),
  METRICS_AUTH: setting(choice('on', 'off'), 'Whether `/metrics` needs a token with the scope metrics; unset: off on loopback, on elsewhere'),
  METRICS_EMF: setting(namespace(), 'Writes metrics to stdout for CloudWatch, under this namespace; unset: it does not'),
  METRICS_EMF_SECONDS: setting(integer(1, 3600), 'How often they are written', { default: '60' }),
  SAGEMAKER: setting(onOff(), 'Starts as SageMaker has it: port 8080, models from `/opt/ml/model`, no tokens, CSV without a header; on where the image is run with `serve`', { default: 'off' }),
  AIP_HEALTH_ROUTE: setting(route(), 'Where Vertex AI asks whether the server is ready; set by Vertex AI'),
  AIP_PREDICT_ROUTE: setting(route(), 'Where Vertex AI sends predictions for the default model; set by Vertex AI'),
} as const satisfies Record<string, Setting<unknown>>

type Settings = typeof settings
export type SettingName = keyof Settings

type CamelCase<S extends string> = S extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<S>

type Value<S> = S extends Setting<infer T> ? S extends { default: string } ? T : T | undefined : never

/** One frozen value per setting: `PORT` is `port`, `JWT_JWKS_URL` is `jwtJwksUrl`. Bytes and milliseconds are numbers. */
export type Config = { readonly [Name in SettingName as CamelCase<Name>]: Value<Settings[Name]> }

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads the environment once. An empty value counts as unset; a secret may stand in the file that
 * `NAME_FILE` names.
 *
 * @throws FatalError naming every wrong setting, its fault and what is allowed
 */
export function loadConfig (env: Environment): Config {
  const config: Record<string, unknown> = {}
  const faults: string[] = []
  for (const [name, setting] of Object.entries<Setting<unknown>>(settings)) {
    const variable = variableOf(env, name, setting)
    try {
      const raw = variable === undefined ? setting.default : rawValue(env, variable, name)
      config[camelCase(name)] = raw === undefined ? undefined : setting.parse(raw)
    } catch (error) {
      faults.push(`${variable}: ${(error as Error).message} (allowed: ${setting.allowed})`)
    }
  }
  if (faults.length > 0) throw new FatalError(`Wrong settings:\n${faults.map(fault => `  ${fault}`).join('\n')}`)
  return Object.freeze(config) as Config
}

/** The variable that decides: the setting's own, else an alias, else the one that names a file. */
function variableOf (env: Environment, name: string, { aliases = [], secret = false }: Setting<unknown>): string | undefined {
  return [name, ...aliases, ...(secret ? [`${name}_FILE`] : [])].find(variable => env[variable])
}

function rawValue (env: Environment, variable: string, name: string): string {
  const value = env[variable] ?? ''
  return variable === `${name}_FILE` ? readSecret(value) : value
}

/** An empty file is a mistake, unlike an empty variable: a mount that failed must not mean "no key". */
function readSecret (file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new Error(`the file cannot be read: ${(error as NodeJS.ErrnoException).code}`, { cause: error })
  }
  if (text === '') throw new Error('the file is empty')
  return text
}

function camelCase (name: string): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
