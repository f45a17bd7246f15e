import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Bucket } from '../../src/artifact/bucket.ts'
import { parseS3Uri } from '../../src/artifact/s3-uri.ts'
import { openBucket } from '../../src/artifact/s3.ts'
import { FakeS3 } from '../helpers/fake-s3.ts'
import { type S3Server, fakeS3, motoServer, startMoto, useS3 } from '../helpers/s3.ts'

async function folder (): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'modelport-s3-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

async function all<T> (items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

const moto = motoServer()

describe.each<[string, (() => Promise<S3Server>) | undefined]>([
  ['the fake', async () => {
    const fake = await FakeS3.start()
    return { url: fake.url, stop: () => fake.stop() }
  }],
  ['moto_server', moto === undefined ? undefined : startMoto],
])('a bucket of %s', (_name, start) => {
  let server: S3Server | undefined
  let undo = (): void => {}
  let bucket: Bucket
  beforeAll(async () => {
    if (start === undefined) return
    server = await start()
    undo = useS3(server.url)
    await fetch(`${server.url}/shop`, { method: 'PUT' })
    bucket = await openBucket('s3://shop/some/models/')
  })
  afterAll(async () => {
    undo()
    await server?.stop()
  })

  const inBucket = test.skipIf(start === undefined)

  inBucket('gives back what was put, with its etag, its hash and what was said beside it', async () => {
    const put = await bucket.putText('a/text.json', '{"é": 1}', { contentType: 'application/json', metadata: { by: 'me' } })
    expect(put).toEqual({ etag: expect.stringMatching(/^".+"$/), sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 9 })
    expect(await bucket.getText('a/text.json')).toEqual({ text: '{"é": 1}', etag: put.etag, metadata: { by: 'me' } })
    expect(await bucket.head('a/text.json')).toMatchObject({ key: 'a/text.json', bytes: 9, etag: put.etag })
  })

  inBucket('has nothing where there is nothing', async () => {
    expect(await bucket.getText('a/none')).toBeUndefined()
    expect(await bucket.head('a/none')).toBeUndefined()
    await bucket.delete('a/none')
    await expect(bucket.getToFile('a/none', join(await folder(), 'x'))).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('s3://shop/some/models/a/none') })
  })

  inBucket('carries files, whole and in parts, and leaves no other file', async () => {
    const path = await folder()
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251))
    await writeFile(join(path, 'sent'), content)
    const put = await bucket.putFile('b/file', join(path, 'sent'))
    expect(await bucket.getToFile('b/file', join(path, 'got'), { ifMatch: put.etag })).toEqual(put)
    expect((await readFile(join(path, 'got'))).equals(content)).toBe(true)
    expect(await bucket.getToFile('b/file', join(path, 'part'), { range: { start: 100, end: 299 } })).toMatchObject({ bytes: 200, etag: put.etag })
    expect((await readFile(join(path, 'part'))).equals(content.subarray(100, 300))).toBe(true)
    await writeFile(join(path, 'empty'), '')
    expect(await bucket.putFile('b/empty', join(path, 'empty'))).toMatchObject({ bytes: 0 })
    expect(await bucket.getText('b/empty')).toMatchObject({ text: '' })
    expect((await readdir(path)).sort()).toEqual(['empty', 'got', 'part', 'sent'])
  })

  inBucket('keeps to conditions', async () => {
    const first = await bucket.putText('c/once', '1', { ifNoneMatch: '*' })
    await expect(bucket.putText('c/once', '2', { ifNoneMatch: '*' })).rejects.toMatchObject({ code: 'CHANGED' })
    const second = await bucket.putText('c/once', '3', { ifMatch: first.etag })
    await expect(bucket.putText('c/once', '4', { ifMatch: first.etag })).rejects.toMatchObject({ code: 'CHANGED' })
    await expect(bucket.getText('c/once', { ifMatch: first.etag })).rejects.toMatchObject({ code: 'CHANGED' })
    await expect(bucket.getToFile('c/once', join(await folder(), 'x'), { ifMatch: first.etag })).rejects.toMatchObject({ code: 'CHANGED' })
    expect(await bucket.getText('c/once', { ifMatch: second.etag })).toMatchObject({ text: '3' })
  })

  inBucket('of several writers at once lets one through', async () => {
    const results = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => bucket.putText('d/raced', `${i}`, { ifNoneMatch: '*' })))
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(await bucket.getText('d/raced')).toMatchObject({ text: `${winner}` })
  })

  inBucket('lists what a key begins with, in order, relative to the place', async () => {
    for (const key of ['e/2', 'e/1', 'e/ä b+c&<d>', 'ee']) await bucket.putText(key, key)
    expect((await all(bucket.list('e/'))).map(({ key, bytes }) => [key, bytes])).toEqual([['e/1', 3], ['e/2', 3], ['e/ä b+c&<d>', 12]])
    await bucket.delete('e/1')
    expect((await all(bucket.list('e'))).map(({ key }) => key)).toEqual(['e/2', 'e/ä b+c&<d>', 'ee'])
  })
})

test('long lists come in pages', async () => {
  const fake = await fakeS3()
  fake.pageSize = 7
  const keys = Array.from({ length: 50 }, (_, i) => `k${String(i).padStart(2, '0')}`)
  for (const key of keys) fake.put(`shop/${key}`, '')
  const bucket = await openBucket('s3://shop')
  expect((await all(bucket.list(''))).map(({ key }) => key)).toEqual(keys)
  expect(fake.asked).toHaveLength(8)
})

describe('what passes is tried again:', () => {
  test.each([
    ['a fault of S3', { kind: 'answer', status: 500, code: 'InternalError' }],
    ['a request to slow down', { kind: 'answer', status: 503, code: 'SlowDown' }],
    ['half a body', { kind: 'truncate' }],
    ['a lost answer', { kind: 'lose-answer' }],
  ] as const)('%s', async (_name, fault) => {
    const fake = await fakeS3()
    const path = await folder()
    const bucket = await openBucket('s3://shop')
    await writeFile(join(path, 'sent'), 'a'.repeat(100_000))
    fake.plan(() => true, fault, 1)
    await bucket.putFile('file', join(path, 'sent'))
    fake.plan(() => true, fault, 1)
    await bucket.getToFile('file', join(path, 'got'))
    fake.plan(() => true, fault, 1)
    expect((await bucket.getText('file'))?.text).toBe('a'.repeat(100_000))
    expect(await readFile(join(path, 'got'), 'utf8')).toBe('a'.repeat(100_000))
    expect((await readdir(path)).sort()).toEqual(['got', 'sent'])
  })

  test('but the second half is never of another object', async () => {
    const fake = await fakeS3()
    const path = await folder()
    fake.put('shop/file', 'a'.repeat(100_000))
    fake.plan(({ method }) => method === 'GET', { kind: 'truncate' }, 1)
    let gets = 0
    fake.onRequest = () => { if (++gets === 2) fake.put('shop/file', 'b'.repeat(100_000)) }
    await expect((await openBucket('s3://shop')).getToFile('file', join(path, 'got'))).rejects.toMatchObject({ code: 'CHANGED' })
    expect(await readdir(path)).toEqual([])
  })
})

test.each<[name: string, code: string, message: RegExp, spoil: (fake: FakeS3) => void, uri?: string]>([
  ['access denied', 'DENIED', /^s3:\/\/shop\/m\/key: access denied \(AccessDenied\): the credentials need s3:GetObject$/, fake => { fake.plan(() => true, { kind: 'answer', status: 403, code: 'AccessDenied', message: 'User: arn:aws:iam::123456789012:user/ada is not authorized' }) }],
  ['a lasting fault of S3', 'FAILED', /S3 answered 500 InternalError/, fake => { fake.plan(() => true, { kind: 'answer', status: 500, code: 'InternalError' }) }],
  ['a body that breaks off time after time', 'UNREACHABLE', /cannot be reached/, fake => { fake.plan(() => true, { kind: 'truncate' }) }],
  ['no such bucket', 'NO_BUCKET', /there is no such bucket: check its name, and AWS_REGION/, () => {}, 's3://missing/m'],
])('%s is told in one line that says what to do', async (_name, code, message, spoil, uri = 's3://shop/m') => {
  const fake = await fakeS3()
  fake.put('shop/m/key', 'some text')
  spoil(fake)
  const error = await (await openBucket(uri)).getText('key').catch((error: unknown) => error) as Error
  expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  expect(`${error.message} ${JSON.stringify(error.cause)} ${String(error.cause)}`).not.toMatch(/\d{12}|AKIDEXAMPLE|not-a-secret/)
})

test('what the caller stops ends at once', async () => {
  const fake = await fakeS3()
  fake.plan(() => true, { kind: 'slow', ms: 60_000 })
  const stop = new AbortController()
  fake.onRequest = () => { stop.abort() }
  await expect((await openBucket('s3://shop', { signal: stop.signal })).getText('key')).rejects.toMatchObject({ code: 'STOPPED' })
})

test('an account number in a bucket\'s name stays out of messages', async () => {
  await fakeS3()
  const bucket = await openBucket('s3://models-123456789012/m')
  await expect(bucket.getToFile('key', '/nonexistent/x')).rejects.toThrow('s3://models-<account>/m/key: there is no such object')
})

test.each([
  ['s3://shop', { bucket: 'shop', prefix: '' }],
  ['s3://shop/', { bucket: 'shop', prefix: '' }],
  ['s3://my.shop-1/a/b', { bucket: 'my.shop-1', prefix: 'a/b/' }],
  ['s3://shop/a/b/', { bucket: 'shop', prefix: 'a/b/' }],
])('%s is a place', (text, place) => {
  expect(parseS3Uri(text)).toEqual(place)
})

test.each([
  ['shop/models', /must look like s3:\/\/bucket\/prefix/],
  ['s3:shop', /must look like s3:\/\/bucket\/prefix/],
  ['s3://', /cannot be the name of a bucket/],
  ['s3://Shop/a', /"Shop" cannot be the name of a bucket: 3 to 63 characters from a-z 0-9 . -/],
  ['s3://user:pass@shop', /cannot be the name of a bucket/],
  ['s3://shop/a/../b', /must not have an empty part/],
  ['s3://shop//a', /must not have an empty part/],
])('%s is none', (text, message) => {
  expect(() => parseS3Uri(text)).toThrow(message)
})
