import { readFile, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openBucket } from '../../src/artifact/s3.ts'
import type { FakeS3 } from '../helpers/fake-s3.ts'
import { flowerOnnx, writeFiles } from '../helpers/models.ts'
import { fakeS3, motoServer, startMoto, useS3 } from '../helpers/s3.ts'
import { startApp } from '../helpers/app.ts'
import { modelport } from './modelport.ts'
import { registry, scored } from './registry.ts'

const to = 's3://shop/models'
const moto = motoServer()

/** What stands in the bucket, without the folder before it. */
function keys (fake: FakeS3): string[] {
  return fake.paths().map(path => path.replace('shop/models/', ''))
}

const wholeVersion = ['golden.json', 'manifest.json', 'model.onnx', 'preprocessor.json'].map(file => `flower/1.0.0/${file}`)

async function inBucket (...args: string[]) {
  return await modelport([...args, '--models', to], { env: { USER: 'ada' } })
}

async function history (): Promise<Record<string, unknown>[]> {
  const text = (await (await openBucket(to)).getText('flower/history.jsonl'))?.text ?? ''
  return text.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>)
}

describe.each([['our own S3', false], ['moto_server', true]])('on %s', (_name, isMoto) => {
  test.skipIf(isMoto && moto === undefined)('a version is published, promoted, replaced, rolled back and listed, and a server serves it', async () => {
    const server = isMoto ? await startMoto() : await fakeS3()
    if (isMoto) onTestFinished(() => server.stop())
    onTestFinished(useS3(server.url))
    await fetch(`${server.url}/shop`, { method: 'PUT' })
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.9 }), 'flower/1.1.0': scored('1.1.0', { accuracy: 0.95 }) })

    expect(await run('publish', 'flower@1.0.0', '--to', to)).toMatchObject({ code: 0, out: expect.stringMatching(/^flower 1\.0\.0 is published to s3:\/\/shop\/models\/flower\/1\.0\.0\/ \(4 files, \d+ B\)$/) })
    expect(await run('publish', 'flower@1.0.0', '--to', `${to}/`)).toMatchObject({ code: 0, out: 'flower 1.0.0 is in s3://shop/models/flower/1.0.0/ already' })
    expect(await inBucket('promote', 'flower@1.0.0')).toMatchObject({ code: 0, err: '' })
    const { code, out, err } = await run('publish', 'flower@1.1.0', '--to', to, '--alias', 'production', '--why', 'more rows, größer')
    expect({ code, err: err.split('\n').at(-1) }).toEqual({ code: 0, err: 'manifest.json has arrived' })
    expect(out.split('\n')).toEqual([
      expect.stringMatching(/^flower 1\.1\.0 is published to /),
      'flower: production is now 1.1.0, it was 1.0.0',
      'Servers that watch the bucket follow within MODELS_POLL_SECONDS (30, unless set); others when they load the model again, or start.',
    ])
    expect(await history()).toMatchObject([
      { who: `ada@${hostname()}`, action: 'promote', alias: 'production', from: null, to: '1.0.0', why: null },
      { action: 'promote', alias: 'production', from: '1.0.0', to: '1.1.0', why: 'more rows, größer' },
    ])
    expect((await inBucket('models')).out.split('\n').map(line => line.split(/ {2,}/).slice(0, 3).join(' '))).toEqual(['name version stage', 'flower 1.0.0 -', 'flower 1.1.0 production, latest'])
    expect(await inBucket('verify')).toMatchObject({ code: 0 })
    expect(await inBucket('rollback', 'flower', '--why', 'drift')).toMatchObject({ code: 0, out: expect.stringContaining('flower: production is now 1.0.0, it was 1.1.0') })
    expect(await history()).toMatchObject([{}, {}, { action: 'rollback', from: '1.1.0', to: '1.0.0', why: 'drift' }])

    const app = await startApp({}, { MODELS_DIR: to })
    onTestFinished(() => app.close())
    expect((await app.get('/health')).body).toMatchObject({ ready: true, models: { flower: '1.0.0' }, store: { status: 'ok' } })
  })
})

describe('publish', () => {
  test('puts the manifest last, and takes the mark away after it', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    await run('publish', 'flower@1.0.0', '--to', to)
    const puts = fake.asked.filter(line => /^(PUT|DELETE)/.test(line)).map(line => line.replace('shop/models/flower/1.0.0/', ''))
    expect(puts[0]).toBe('PUT .publishing')
    expect(puts.filter(line => !line.includes('.publishing')).at(-1)).toBe('PUT manifest.json')
    expect(puts.at(-1)).toBe('DELETE .publishing')
    expect(keys(fake)).toEqual(wholeVersion)
  })

  test('--dry-run verifies, says what it would do, and changes nothing', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    expect(await run('publish', 'flower@1.0.0', '--to', to, '--dry-run', '--alias', 'production')).toMatchObject({ code: 0, out: expect.stringMatching(/would be published to s3:\/\/shop\/models\/flower\/1\.0\.0\/ \(4 files, .*\), and then production would name it: nothing is changed$/) })
    expect(fake.asked.filter(line => /^(PUT|DELETE)/.test(line))).toEqual([])
  })

  test('--json', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    const { out } = await run('publish', 'flower@1.0.0', '--to', to, '--alias', 'canary', '--json')
    const bytes = fake.paths().filter(path => path.includes('1.0.0')).reduce((sum, path) => sum + Buffer.byteLength(fake.bytes(path)), 0)
    expect(JSON.parse(out)).toEqual({ name: 'flower', version: '1.0.0', to, published: true, dryRun: false, files: 4, bytes, alias: { name: 'canary', from: null, to: '1.0.0', changed: true } })
    expect(JSON.parse((await run('publish', 'flower@1.0.0', '--to', to, '--alias', 'canary', '--json')).out)).toMatchObject({ published: false, files: 0, bytes: 0, alias: { changed: false } })
  })

  test('refuses other content under the same version, and leaves what is there', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    const other = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.5 }) })
    await run('publish', 'flower@1.0.0', '--to', to)
    const before = fake.paths().map(path => fake.text(path))
    expect(await other.run('publish', 'flower@1.0.0', '--to', to)).toMatchObject({ code: 1, err: 'modelport publish: s3://shop/models/flower/1.0.0/ has other content under the same version: nothing is changed; give yours another version' })
    expect(fake.paths().map(path => fake.text(path))).toEqual(before)
  })

  test('does not publish what verify refuses', async () => {
    const fake = await fakeS3()
    const { run, path } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    await writeFile(join(path, 'flower/1.0.0/model.onnx'), 'damaged')
    const { code, err } = await run('publish', 'flower@1.0.0', '--to', to)
    expect({ code, err: err.split('\n').at(-1) }).toEqual({ code: 1, err: 'modelport publish: flower 1.0.0 cannot be served: nothing is changed' })
    expect(fake.asked).toEqual([])
  })

  test('says that it is published where the alias is refused', async () => {
    await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0', { accuracy: 0.9 }), 'flower/1.1.0': scored('1.1.0', { accuracy: 0.5 }) })
    await run('publish', 'flower@1.0.0', '--to', to, '--alias', 'production')
    expect(await run('publish', 'flower@1.1.0', '--to', to, '--alias', 'production')).toMatchObject({
      code: 1,
      out: expect.stringContaining('flower 1.1.0 is published'),
      err: expect.stringMatching(/it is published, but production does not name it: flower 1\.1\.0 scores worse: .* \(modelport promote flower@1\.1\.0 production --models s3:\/\/shop\/models\)$/),
    })
  })

  test('without a manifest is refused: nobody could tell when it is whole', async () => {
    await fakeS3()
    const { run, path } = await registry({})
    await writeFiles(join(path, 'bare/1'), { 'model.onnx': flowerOnnx() })
    expect(await run('publish', 'bare@1', '--to', to)).toMatchObject({ code: 1, err: expect.stringContaining('bare 1 has no manifest.json') })
  })

  test.each([
    ['no version', ['flower', '--to', to], /say which version: flower@VERSION/],
    ['no place', ['flower@1.0.0'], /where to is missing: --to s3:\/\/bucket\/prefix/],
    ['a folder as the place', ['flower@1.0.0', '--to', './models'], /--to: ".\/models" is not a place in S3: it must look like s3:\/\/bucket\/prefix/],
    ['a bucket as the source', ['flower@1.0.0', '--to', to, '--models', to], /published from a folder/],
    ['latest as the alias', ['flower@1.0.0', '--to', to, '--alias', 'latest'], /cannot be an alias/],
    ['two versions', ['flower@1.0.0', 'flower@1.1.0', '--to', to], /an argument too many/],
  ])('%s is a misuse', async (_name, args, message) => {
    expect(await modelport(['publish', ...args])).toMatchObject({ code: 2, err: expect.stringMatching(message) })
  })

  test.each([
    ['access denied', { kind: 'answer', status: 403, code: 'AccessDenied' }, /access denied \(AccessDenied\): the credentials need s3:/],
    ['a lasting fault', { kind: 'answer', status: 500, code: 'InternalError' }, /S3 answered 500 InternalError/],
  ] as const)('%s is told in one line', async (_name, fault, message) => {
    const fake = await fakeS3()
    fake.plan(() => true, fault)
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    const { code, err } = await run('publish', 'flower@1.0.0', '--to', to)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(message) })
    expect(err.split('\n')).toHaveLength(1)
  })
})

describe('a publish that is interrupted', () => {
  // Each request is the one during which it dies: those before have had their effect, this one and all later have not.
  test.each(Array.from({ length: 12 }, (_, i) => i))('at its change number %i is seen by nobody half, and can be run again', async count => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    let changes = 0
    fake.plan(({ method }) => (method === 'PUT' || method === 'DELETE') && changes++ >= count, { kind: 'answer', status: 403, code: 'AccessDenied' })
    const { code } = await run('publish', 'flower@1.0.0', '--to', to)
    const seen = await inBucket('models', '--json')
    const listed = JSON.parse(seen.out) as { task: string, faults: unknown[] }[]
    expect(listed.every(({ task, faults }) => task === 'classification' && faults.length === 0)).toBe(true)
    expect(listed).toHaveLength(keys(fake).includes('flower/1.0.0/manifest.json') ? 1 : 0)
    fake.heal()
    expect(await run('publish', 'flower@1.0.0', '--to', to)).toMatchObject({ code: 0 })
    expect(keys(fake)).toEqual(wholeVersion)
    if (count >= 11) expect(code).toBe(0)
  })

  test('and whose answer to the manifest was lost has published it', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    fake.plan(({ method, key }) => method === 'PUT' && /manifest|model\.onnx/.test(key), { kind: 'lose-answer' }, 2)
    expect(await run('publish', 'flower@1.0.0', '--to', to)).toMatchObject({ code: 0 })
    expect(keys(fake)).toEqual(wholeVersion)
  })

  test('by one that has died long ago is taken over, also by other content', async () => {
    const fake = await fakeS3()
    const { run, path } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    fake.put('shop/models/flower/1.0.0/.publishing', '{"other": "manifest"}')
    fake.put('shop/models/flower/1.0.0/model.onnx', 'half of another one')
    // The fake's objects are of 1970.
    expect(await run('publish', 'flower@1.0.0', '--to', to)).toMatchObject({ code: 0 })
    expect(fake.bytes('shop/models/flower/1.0.0/model.onnx').equals(await readFile(join(path, 'flower/1.0.0/model.onnx')))).toBe(true)
  })
})

describe('two publishes at once', () => {
  test('of the same content both say that it is there', async () => {
    const fake = await fakeS3()
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0') })
    const ended = await Promise.all(Array.from({ length: 3 }, () => run('publish', 'flower@1.0.0', '--to', to)))
    expect(ended.map(({ code, err }) => code === 0 ? '' : err)).toEqual(['', '', ''])
    expect(keys(fake)).toEqual(wholeVersion)
  })

  test('of different content: at most one gets through, and what is there is one of them', async () => {
    for (let round = 0; round < 4; round++) {
      const fake = await fakeS3()
      fake.modified = () => new Date()
      const sources = await Promise.all([0.1, 0.2, 0.3].map(accuracy => registry({ 'flower/1.0.0': scored('1.0.0', { accuracy }) })))
      const ended = await Promise.all(sources.map(({ run }) => run('publish', 'flower@1.0.0', '--to', to)))
      expect(ended.filter(({ code }) => code === 0)).toHaveLength(1)
      for (const { code, err } of ended) if (code !== 0) expect(err).toMatch(/somebody else is publishing other content as flower 1\.0\.0|has other content under the same version/)
      expect(await inBucket('verify')).toMatchObject({ code: 0 })
      const winner = ended.findIndex(({ code }) => code === 0)
      expect(JSON.parse(fake.text('shop/models/flower/1.0.0/manifest.json') ?? '')).toMatchObject({ metrics: { accuracy: [0.1, 0.2, 0.3][winner] } })
    }
  })
})

describe('aliases in a bucket', () => {
  async function published (fake: FakeS3): Promise<void> {
    const { run } = await registry({ 'flower/1.0.0': scored('1.0.0'), 'flower/1.1.0': scored('1.1.0'), 'flower/1.2.0': scored('1.2.0') })
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await run('publish', `flower@${version}`, '--to', to)
    fake.asked.length = 0
  }

  test('that several change at once lose no change, and the history has each', async () => {
    const fake = await fakeS3()
    await published(fake)
    const names = ['production', 'canary', 'shadow', 'blue', 'green', 'next']
    const ended = await Promise.all(names.map((alias, i) => inBucket('promote', `flower@1.${i % 3}.0`, alias)))
    expect(ended.map(({ code, err }) => code === 0 ? '' : err)).toEqual(names.map(() => ''))
    expect(JSON.parse(fake.text('shop/models/flower/aliases.json') ?? '')).toEqual(Object.fromEntries(names.map((alias, i) => [alias, `1.${i % 3}.0`])))
    expect((await history()).map(({ alias }) => alias).sort()).toEqual([...names].sort())
  })

  test('whose writer died before it wrote the history find their line written by the next', async () => {
    const fake = await fakeS3()
    await published(fake)
    fake.plan(({ method, key }) => method === 'PUT' && key.endsWith('history.jsonl'), { kind: 'answer', status: 403, code: 'AccessDenied' })
    expect(await inBucket('promote', 'flower@1.0.0', '--why', 'the first')).toMatchObject({ code: 1 })
    fake.heal()
    expect(await history()).toEqual([])
    expect(await inBucket('promote', 'flower@1.1.0')).toMatchObject({ code: 0 })
    expect(await history()).toMatchObject([{ to: '1.0.0', why: 'the first' }, { from: '1.0.0', to: '1.1.0' }])
    expect(await inBucket('rollback', 'flower')).toMatchObject({ code: 0, out: expect.stringContaining('production is now 1.0.0') })
  })

  test.each(['aliases.json', 'history.jsonl'])('survive a lost answer to %s, and change once', async file => {
    const fake = await fakeS3()
    await published(fake)
    fake.plan(({ method, key }) => method === 'PUT' && key.endsWith(file), { kind: 'lose-answer' }, 1)
    expect(await inBucket('promote', 'flower@1.0.0')).toMatchObject({ code: 0, out: expect.stringContaining('production is now 1.0.0') })
    expect(await history()).toHaveLength(1)
  })

  test('that are no JSON are told with their address, and stay', async () => {
    const fake = await fakeS3()
    await published(fake)
    fake.put('shop/models/flower/aliases.json', '{')
    expect(await inBucket('promote', 'flower@1.0.0')).toMatchObject({ code: 1, err: expect.stringMatching(/s3:\/\/shop\/models\/flower\/aliases\.json: aliases\.json: is not JSON: .*: mend the file first$/) })
    expect(fake.text('shop/models/flower/aliases.json')).toBe('{')
  })

  test('a reason that is too long for S3 is refused before anything is changed', async () => {
    const fake = await fakeS3()
    await published(fake)
    expect(await inBucket('promote', 'flower@1.0.0', '--why', 'ä'.repeat(2000))).toMatchObject({ code: 1, err: expect.stringContaining('--why and --who are too long') })
    expect(fake.text('shop/models/flower/aliases.json')).toBeUndefined()
  })
})

test.each([
  ['gc', ['gc', '--models', to], 1],
  ['import', ['import', 'package.json', '--name', 'flower', '--version', '1.0.0', '--out', to], 1],
])('%s does not take a bucket for a folder', async (_name, args, code) => {
  expect(await modelport(args)).toMatchObject({ code, err: expect.stringMatching(/s3:\/\/shop\/models is none/) })
})
