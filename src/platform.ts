import { existsSync, readdirSync } from 'node:fs'
import { FatalError } from './errors.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** The environment as a platform that runs containers means it, and what the operator should know of it. */
export interface PlatformStart {
  readonly env: Environment
  readonly note: { readonly message: string, readonly facts: Readonly<Record<string, unknown>> } | undefined
}

/** What a key can stand in: with one, an operator wants tokens checked. */
const keys = ['JWT_JWKS_URL', 'JWT_PUBLIC_KEY', 'JWT_PUBLIC_KEY_FILE', 'JWT_SECRET', 'JWT_SECRET_FILE']

/**
 * Says what SageMaker (`docker run IMAGE serve`) and Vertex AI (its three AIP_ variables) take for
 * granted in terms of our own settings. Anywhere else the environment stays as it is.
 *
 * Both check callers before they come here and pass no token on, so AUTH is off unless AUTH or a key is
 * set; and all callers come from one address, so the rate limit is up to RATE_LIMIT_MAX alone.
 *
 * @throws FatalError for arguments that no platform gives
 */
export function platformStart (env: Environment, args: readonly string[]): PlatformStart {
  if (args.length > 1 || (args[0] ?? 'serve') !== 'serve') throw new FatalError(`cannot do "${args.join(' ')}": the server takes no argument but serve, which is how SageMaker starts it`)
  if (args.length === 1 || env['SAGEMAKER'] === 'on') return sagemaker(env)
  if (['AIP_HTTP_PORT', 'AIP_HEALTH_ROUTE', 'AIP_PREDICT_ROUTE'].every(name => env[name])) return vertex(env)
  return { env, note: undefined }
}

function sagemaker (env: Environment): PlatformStart {
  const folder = env['SM_MODEL_DIR'] || '/opt/ml/model'
  const port = env['SAGEMAKER_BIND_TO_PORT'] || '8080'
  // Without model data of its own an endpoint serves what the image brings along.
  const given = Boolean(env['SM_MODEL_DIR']) || hasFiles(folder)
  const own = behindPlatform({ ...env, SAGEMAKER: 'on', HOST: '0.0.0.0', PORT: port, ...(given ? { MODELS_DIR: folder } : {}) })
  return { env: own, note: noteOf('started as SageMaker starts a container', own) }
}

function vertex (env: Environment): PlatformStart {
  const own = behindPlatform({ ...env, HOST: env['HOST'] || '0.0.0.0' })
  const message = env['AIP_STORAGE_URI'] ? 'started as Vertex AI starts a container; AIP_STORAGE_URI is not read: the models come from MODELS_DIR' : 'started as Vertex AI starts a container'
  return { env: own, note: noteOf(message, own) }
}

function behindPlatform (env: Environment): Environment {
  const wantsTokens = Boolean(env['AUTH']) || keys.some(name => env[name])
  return { ...env, ...(wantsTokens ? {} : { AUTH: 'off' }), RATE_LIMIT_MAX: env['RATE_LIMIT_MAX'] || '1000000000' }
}

function noteOf (message: string, { AUTH: auth = 'jwt', MODELS_DIR: folder }: Environment): NonNullable<PlatformStart['note']> {
  return { message, facts: { models_dir: folder, auth, ...(auth === 'off' ? { reason: 'the platform checks who calls, and passes no token on' } : {}) } }
}

function hasFiles (folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0
}
