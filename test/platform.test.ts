import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { platformStart } from '../src/platform.ts'

type Environment = Record<string, string>

function configOf (env: Environment, args: readonly string[] = []): ReturnType<typeof loadConfig> {
  return loadConfig(platformStart(env, args).env)
}

const aip = { AIP_HTTP_PORT: '8081', AIP_HEALTH_ROUTE: '/ping', AIP_PREDICT_ROUTE: '/vertex/predict' }
const unlimited = 1_000_000_000

test('elsewhere the environment stays as it is', () => {
  const env = { PORT: '1', AIP_PREDICT_ROUTE: '/vertex/predict', SM_MODEL_DIR: '/somewhere', SAGEMAKER: 'off' }
  expect(platformStart(env, [])).toEqual({ env, note: undefined })
})

describe('SageMaker', () => {
  test.each<[name: string, env: Environment, args: string[]]>([['by the argument', {}, ['serve']], ['by the setting', { SAGEMAKER: 'on' }, []]])('%s: its port, every address, no tokens, no rate limit', (_name, env, args) => {
    // As the image sets it.
    expect(configOf({ ...env, HOST: '127.0.0.1', MODELS_DIR: '/models', PORT: '9' }, args)).toMatchObject({
      sagemaker: true, port: 8080, host: '0.0.0.0', auth: 'off', rateLimitMax: unlimited, modelsDir: '/models',
    })
  })

  test('its folder where there is something in it, else the models of the image', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'modelport-sagemaker-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    expect(configOf({ MODELS_DIR: '/models', SM_MODEL_DIR: folder }, ['serve']).modelsDir).toBe(folder)
    expect(configOf({ MODELS_DIR: '/models', SM_MODEL_DIR: '' }, ['serve']).modelsDir).toBe('/models')
  })

  test.each<Environment>([{ AUTH: 'jwt' }, { JWT_SECRET: 'a secret of at least thirty-two bytes' }, { JWT_JWKS_URL: 'https://example.com/keys' }])('%o asks for tokens all the same', env => {
    expect(configOf(env, ['serve']).auth).toBe('jwt')
  })

  test('its port of the moment, and limits that are set', () => {
    expect(configOf({ SAGEMAKER_BIND_TO_PORT: '8090', RATE_LIMIT_MAX: '5' }, ['serve'])).toMatchObject({ port: 8090, rateLimitMax: 5 })
  })
})

describe('Vertex AI', () => {
  test('its port and routes, every address, no tokens, no rate limit', () => {
    expect(configOf(aip)).toMatchObject({
      port: 8081, host: '0.0.0.0', auth: 'off', rateLimitMax: unlimited, aipHealthRoute: '/ping', aipPredictRoute: '/vertex/predict', sagemaker: false, modelsDir: './models',
    })
  })

  test.each(Object.keys(aip))('without %s tokens are asked for', name => {
    expect(configOf({ ...aip, [name]: '' })).toMatchObject({ auth: 'jwt', host: '127.0.0.1', rateLimitMax: 1000 })
  })

  test('a host, a port and a key that are set count', () => {
    expect(configOf({ ...aip, HOST: '127.0.0.1', PORT: '7', AUTH: 'jwt' })).toMatchObject({ host: '127.0.0.1', port: 7, auth: 'jwt' })
  })
})

test.each<[args: string[]]>([[['train']], [['serve', '--port']], [['']]])('the arguments %j are none of a platform', args => {
  expect(() => platformStart({}, args)).toThrow('the server takes no argument but serve')
})
