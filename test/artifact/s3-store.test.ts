import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseAliases } from '../../src/artifact/aliases.ts'
import { modelStore } from '../../src/artifact/model-store.ts'
import { readArtifact } from '../../src/artifact/read.ts'
import type { StoreHealth } from '../../src/artifact/store.ts'
import { type TestApp, startApp } from '../helpers/app.ts'
import type { FakeS3 } from '../helpers/fake-s3.ts'
import { type Files, flowerFiles, flowerOnnx, toBytes, withManifest } from '../helpers/models.ts'
import { fakeS3, motoServer, startMoto, useS3 } from '../helpers/s3.ts'

const uri = 's3://shop/models'

/** Another model under the same version: its hash is another one too. */
function otherFiles (version: string): Files {
  const files = flowerFiles('flower', version)
  return { ...files, 'manifest.json': { ...files['manifest.json'] as object, description: 'Another one' } }
}

function put (fake: FakeS3, place: string, files: Files): void {
  for (const [file, content] of Object.entries(files)) fake.put(`shop/models/${place}/${file}`, toBytes(content))
}

async function cacheFolder (): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'modelport-cache-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function serve (cache: string, env: Record<string, string> = {}): Promise<TestApp> {
  const server = await startApp({}, { MODELS_DIR: uri, MODELS_CACHE_DIR: cache, ...env })
  onTestFinished(() => server.close())
  return server
}

const row = { length: 6, kind: 'red' }

async function answering (server: TestApp): Promise<string> {
  const { status, body } = await server.post('/predict', row)
  return status === 200 ? (body as { model: { version: string } }).model.version : `${status} ${(body as { detail: string }).detail}`
}

async function healthOf (server: TestApp): Promise<StoreHealth> {
  return ((await server.get('/health')).body as { store: StoreHealth }).store
}

const moto = motoServer()

describe('a repository in S3', () => {
  test.each<[string, typeof startMoto | undefined]>([
    ['of our own protocol', undefined],
    ['of moto_server', startMoto],
  ])('%s is served as a folder is', async (_name, start) => {
    if (start !== undefined && moto === undefined) return
    const fake = await fakeS3()
    const real = start === undefined ? fake : await start()
    if (start !== undefined) onTestFinished(() => (real as { stop: () => Promise<void> }).stop())
    const undo = useS3(real.url)
    onTestFinished(undo)
    await fetch(`${real.url}/shop`, { method: 'PUT' })
    const upload = async (key: string, content: Uint8Array | string): Promise<void> => {
      const { ok } = await fetch(`${real.url}/shop/models/${key}`, { method: 'PUT', body: content as string })
      if (!ok) throw new Error(`${key} was not taken`)
    }
    for (const version of ['1.0.0', '1.1.0']) {
      for (const [file, content] of Object.entries(flowerFiles('flower', version))) await upload(`flower/${version}/${file}`, toBytes(content))
    }
    await upload('flower/aliases.json', '{"production": "1.0.0", "canary": "1.1.0"}')
    await upload('bare/1/model.onnx', flowerOnnx())
    await upload('repository.json', '{"default": "flower"}')
    const server = await serve(await cacheFolder())
    expect(await answering(server)).toBe('1.0.0')
    expect((await server.get('/health')).body).toMatchObject({ ready: true, models: { bare: '1', flower: '1.0.0' }, store: { status: 'ok' } })
    expect((await server.get('/v2/models/bare')).body).toMatchObject({ name: 'bare', inputs: [{ name: 'X' }] })
    expect((await server.post('/models/flower/versions/1.1.0/predict', row)).status).toBe(200)
  })

  test('gets the manifest before all other files of a version, and nothing that it does not list', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', { ...flowerFiles(), 'notes.txt': 'not a part of it' })
    await serve(await cacheFolder())
    const gets = fake.asked.filter(line => line.startsWith('GET')).map(line => line.split('/').at(-1))
    expect(gets[0]).toBe('manifest.json')
    expect(gets.slice(1).sort()).toEqual(['golden.json', 'model.onnx', 'preprocessor.json'])
  })

  test('is not read again where the copies are those of the objects', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const cache = await cacheFolder()
    await (await serve(cache)).close()
    fake.asked.length = 0
    expect(await answering(await serve(cache))).toBe('1.0.0')
    expect(fake.asked).toEqual(['LIST shop/models/'])
  })

  test('does not trust a copy that somebody has changed', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const cache = await cacheFolder()
    await (await serve(cache)).close()
    const [model = ''] = (await readdir(cache, { recursive: true })).filter(file => file.endsWith('model.onnx'))
    await writeFile(join(cache, model), 'damaged')
    const server = await serve(cache)
    expect(await answering(server)).toBe('1.0.0')
    expect((await readFile(join(cache, model))).equals(Buffer.from(flowerOnnx()))).toBe(true)
  })

  test('shows no version whose publication is under way', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    fake.put('shop/models/flower/1.1.0/.publishing', '')
    fake.put('shop/models/flower/1.1.0/model.onnx', flowerOnnx())
    const server = await serve(await cacheFolder())
    expect((await server.get('/models')).body).toMatchObject({ models: [{ versions: [{ version: '1.0.0' }] }] })
  })

  test.each([
    ['a wrong bucket', 's3://missing/models', /there is no such bucket/],
    ['an address that is none', 's3://shop/a/../b', /must not have an empty part/],
  ])('%s stops the start in one line', async (_name, place, message) => {
    await fakeS3()
    await expect(startApp({}, { MODELS_DIR: place, MODELS_CACHE_DIR: await cacheFolder() })).rejects.toThrow(message)
  })

  test('a cache that cannot be written is told with the setting to change', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const file = join(await cacheFolder(), 'file')
    await writeFile(file, '')
    await expect(serve(file)).rejects.toThrow(/MODELS_CACHE_DIR: .* cannot be written \(ENOTDIR\): set it to a folder with room for the models/)
  })
})

describe('copies', () => {
  test('of versions that are no longer listed are removed after a load, and no others', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    put(fake, 'flower/1.1.0', flowerFiles('flower', '1.1.0'))
    put(fake, 'gone/1', flowerFiles('gone', '1'))
    fake.put('shop/models/repository.json', '{"default": "flower"}')
    const cache = await cacheFolder()
    await (await serve(cache)).close()
    for (const path of fake.paths()) if (path.includes('/gone/') || path.includes('/1.0.0/')) fake.remove(path)
    put(fake, 'flower/1.1.0', otherFiles('1.1.0'))
    const versions = async (): Promise<string[]> => {
      const entries = await readdir(cache, { recursive: true })
      return entries.filter(file => file.endsWith('/model.onnx')).map(file => file.split('/').slice(1, 3).join(' ')).sort()
    }
    expect(await versions()).toEqual(['flower 1.0.0', 'flower 1.1.0', 'gone 1'])
    await serve(cache)
    expect(await versions()).toEqual(['flower 1.1.0'])
  })

  test('may be made by several processes at once', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const cache = await cacheFolder()
    const servers = await Promise.all(Array.from({ length: 4 }, () => serve(cache)))
    expect(await Promise.all(servers.map(answering))).toEqual(['1.0.0', '1.0.0', '1.0.0', '1.0.0'])
    expect((await readdir(cache, { recursive: true })).filter(file => file.includes('.draft'))).toEqual([])
  })

  test('of another place do not count', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const cache = await cacheFolder()
    await (await serve(cache)).close()
    await expect(startApp({}, { MODELS_DIR: 's3://missing/models', MODELS_CACHE_DIR: cache })).rejects.toThrow(/no such bucket/)
  })
})

/** What can be wrong with S3 at any moment. */
const faults: [name: string, reason: string, spoil: (fake: FakeS3) => void][] = [
  ['answers 500', 'FAILED', fake => { fake.plan(() => true, { kind: 'answer', status: 500, code: 'InternalError' }) }],
  ['denies access', 'DENIED', fake => { fake.plan(() => true, { kind: 'answer', status: 403, code: 'AccessDenied', message: 'arn:aws:iam::123456789012:role/x' }) }],
  ['breaks off every answer', 'UNREACHABLE', fake => { fake.plan(() => true, { kind: 'truncate' }) }],
]

describe.each(faults)('when S3 %s,', (_name, reason, spoil) => {
  test('a start serves what was served last, and says so in the log and in /health', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    put(fake, 'flower/1.1.0', flowerFiles('flower', '1.1.0'))
    fake.put('shop/models/flower/aliases.json', '{"production": "1.0.0"}')
    const cache = await cacheFolder()
    await (await serve(cache)).close()
    spoil(fake)
    const server = await serve(cache)
    expect(await answering(server)).toBe('1.0.0')
    expect((await server.get('/health/ready')).status).toBe(200)
    expect(await healthOf(server)).toEqual({ status: 'stale', reason, since: expect.stringMatching(/^\d{4}-.*Z$/) })
    expect(server.logs).toContainEqual(expect.objectContaining({ level: 40, msg: expect.stringMatching(/^S3 cannot be read; what was served last, on .*Z, is served from local copies: s3:\/\/shop\/models\//) }))
    expect(JSON.stringify(server.logs)).not.toMatch(/\d{12}(?!\d)(?<!"time":\d+)|AKIDEXAMPLE/)
    fake.heal()
    put(fake, 'flower/1.2.0', flowerFiles('flower', '1.2.0'))
    fake.put('shop/models/flower/aliases.json', '{"production": "1.2.0"}')
    expect((await server.post('/v2/repository/models/flower/load', {})).status).toBe(200)
    expect(await answering(server)).toBe('1.2.0')
    expect(await healthOf(server)).toEqual({ status: 'ok' })
  })

  test('a start without a copy ends, and says why', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    spoil(fake)
    await expect(serve(await cacheFolder())).rejects.toThrow(/^s3:\/\/shop\/models\/: /)
  })

  test('a load changes nothing, and says so', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const server = await serve(await cacheFolder())
    put(fake, 'flower/1.1.0', flowerFiles('flower', '1.1.0'))
    spoil(fake)
    const { status, body, headers } = await server.post('/v2/repository/models/flower/load', {})
    expect({ status, body, retry: headers.get('retry-after') }).toEqual({ status: 503, body: { error: 'The model store cannot be read now, so that nothing was changed; try again.' }, retry: '5' })
    expect(await answering(server)).toBe('1.0.0')
    expect(await healthOf(server)).toMatchObject({ status: 'stale', reason })
    expect((await server.post('/v2/repository/models/flower/unload', {})).status).toBe(200)
  })

  test('for the files of a new version only, what is loaded goes on answering, and the reason is told', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const server = await serve(await cacheFolder())
    put(fake, 'flower/1.1.0', flowerFiles('flower', '1.1.0'))
    const all = fake.plan.bind(fake)
    fake.plan = (_matches, fault, times) => { all(({ key }) => key.includes('1.1.0/model.onnx'), fault, times) }
    spoil(fake)
    expect((await server.post('/v2/repository/models/flower/load', {})).status).toBe(400)
    expect(await answering(server)).toBe('1.0.0')
    expect((await server.get('/health/ready')).body).toEqual({ status: 'ready', failures: [{ model: 'flower', version: '1.1.0', reason: 'UNREADABLE' }] })
  })
})

describe('files of two uploads never mix:', () => {
  test('a model that was replaced without its manifest is refused, and the last good files answer', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const cache = await cacheFolder()
    const server = await serve(cache)
    const bytes = Buffer.from(flowerOnnx())
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    fake.put('shop/models/flower/1.0.0/model.onnx', bytes)
    expect((await server.post('/v2/repository/models/flower/load', {})).status).toBe(400)
    expect(await answering(server)).toBe('1.0.0')
    expect((await server.get('/health/ready')).body).toMatchObject({ failures: [{ version: '1.0.0', reason: 'HASH_MISMATCH' }] })
    await server.close()
    const again = await serve(cache)
    expect(await answering(again)).toBe('1.0.0')
    expect(await healthOf(again)).toMatchObject({ status: 'stale', reason: 'HASH_MISMATCH' })
    expect(again.logs).toContainEqual(expect.objectContaining({ msg: expect.stringMatching(/flower 1\.0\.0 cannot be read as it is in S3; a copy of its last good files is served: model\.onnx has SHA-256/) }))
  })

  test('a version that is replaced between the list and the files is read anew', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    const { 'manifest.json': _, ...others } = flowerFiles()
    const replaced = withManifest({ ...others, 'model.onnx': Buffer.concat([flowerOnnx(), Buffer.from('more')]) })
    let isReplaced = false
    fake.onRequest = ({ method, key }) => {
      if (isReplaced || method !== 'GET' || !key.endsWith('model.onnx')) return
      isReplaced = true
      put(fake, 'flower/1.0.0', replaced)
    }
    const store = modelStore(uri, { cacheFolder: await cacheFolder() })
    await store.list()
    const { model, manifest } = await readArtifact(store.version('flower', '1.0.0'))
    expect([Buffer.from(model).equals(replaced['model.onnx'] as Buffer), manifest]).toEqual([true, replaced['manifest.json']])
    expect(isReplaced).toBe(true)
  })

  test('one that changes every time it is looked at is refused, and says so', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    let count = 0
    fake.onRequest = ({ method, key }) => { if (method === 'GET' && key.endsWith('manifest.json')) fake.put(`shop/models/${key.replace('models/', '')}`, JSON.stringify({ count: ++count })) }
    const store = modelStore(uri, { cacheFolder: await cacheFolder() })
    await store.list()
    await expect(readArtifact(store.version('flower', '1.0.0'))).rejects.toMatchObject({ reason: 'UNREADABLE', message: expect.stringContaining('somebody else has changed it meanwhile') })
    expect(count).toBeLessThan(10)
  })

  test('aliases are those of the moment of the list', async () => {
    const fake = await fakeS3()
    put(fake, 'flower/1.0.0', flowerFiles())
    fake.put('shop/models/flower/aliases.json', '{"production": "0.9.0"}')
    let isReplaced = false
    fake.onRequest = ({ method, key }) => {
      if (isReplaced || method !== 'GET' || !key.endsWith('aliases.json')) return
      isReplaced = true
      fake.put('shop/models/flower/aliases.json', '{"production": "1.1.0"}')
      put(fake, 'flower/1.1.0', flowerFiles('flower', '1.1.0'))
    }
    const store = modelStore(uri, { cacheFolder: await cacheFolder() })
    expect((await store.list()).models).toEqual([{ name: 'flower', versions: ['1.0.0', '1.1.0'] }])
    expect(parseAliases(await store.aliases('flower'))).toEqual({ production: '1.1.0' })
  })
})

test('names that cannot be a model\'s lead nowhere on the disk', async () => {
  const fake = await fakeS3()
  const cache = await cacheFolder()
  await mkdir(join(cache, 'x'))
  for (const key of ['../evil/1/model.onnx', '..%2fevil/1/model.onnx', 'flower/../1/model.onnx', 'flower/.hidden/model.onnx', 'flower/1.0.0/sub/model.onnx', 'flower/ 1/model.onnx']) fake.put(`shop/models/${key}`, 'x')
  put(fake, 'flower/1.0.0', flowerFiles())
  const store = modelStore(uri, { cacheFolder: cache })
  const { models, ignored } = await store.list()
  expect(models).toEqual([{ name: 'flower', versions: ['1.0.0'] }])
  expect([...ignored].sort()).toEqual(['flower/ 1'])
  await expect(store.version('flower', '../../x').read('model.onnx')).rejects.toMatchObject({ reason: 'MISSING_FILE' })
})
