import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { handler } from '../../src/cli/job-lambda.ts'
import { openPlace } from '../../src/jobs/open-place.ts'
import { modelport } from '../cli/modelport.ts'
import { flowerFiles, repository } from '../helpers/models.ts'
import { fakeS3 } from '../helpers/s3.ts'

let models: Awaited<ReturnType<typeof repository>>
let root: string

beforeAll(async () => {
  models = await repository({ 'flower/1.0.0': flowerFiles() })
  root = await mkdtemp(join(tmpdir(), 'modelport-jobs-test-'))
})

afterAll(async () => {
  await models.remove()
  await rm(root, { recursive: true })
})

const rows = { 'a.csv': 'length,kind\n6,red\n', 'b.csv': 'length,kind\n2.5,blue\n99,red\n', 'sub/c.ndjson': '{"length":3,"kind":"red"}\n', _SUCCESS: '', '.hidden.csv': 'x\n', 'notes.txt': 'x' }

/** A folder of files with rows. */
async function filled (name: string): Promise<string> {
  const folder = join(root, name)
  for (const [file, content] of Object.entries(rows)) {
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), content)
  }
  return folder
}

async function job (...args: readonly string[]) {
  return await modelport(['job', ...args], { env: { MODELS_DIR: models.path } })
}

/** Every file below a folder, with what is in it. */
async function contents (folder: string): Promise<Record<string, string>> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter(entry => entry.isFile()).map(entry => join(entry.parentPath, entry.name)).sort()
  return Object.fromEntries(await Promise.all(names.map(async path => [path.slice(folder.length + 1), await readFile(path, 'utf8')] as const)))
}

describe('a batch in steps', () => {
  test('leaves out markers and hidden files, and names what it does not know', async () => {
    const input = await filled('leaves-out')
    const { out, err } = await job('batch-plan', '--model', 'flower', '--input', input, '--run', join(root, 'run-1'), '--json')
    expect(JSON.parse(out)).toMatchObject({ model: { name: 'flower', version: '1.0.0' }, parts: 1, files: 3, ignored: 1 })
    expect(err).toContain('notes.txt')
  })

  test('every step once more gives the same bytes', async () => {
    const input = await filled('again')
    const run = join(root, 'run-2')
    const all = async () => {
      for (const step of [['batch-plan', '--model', 'flower', '--input', input], ['batch-part', '--part', '00000']]) expect((await job(...step, '--run', run)).code).toBe(0)
      await modelport(['job', 'batch-merge', '--run', run])
      return await contents(run)
    }
    const first = await all()
    expect(Object.keys(first)).toEqual(['items.json', 'manifest.json', 'plan.json', 'predictions/00000/part-00000.csv', 'rejected/00000/rejected-00000.ndjson', 'status/00000.json'])
    expect(await all()).toEqual(first)
  })

  test('a rejected row names the file as it was planned, not a copy of it', async () => {
    const input = await filled('named')
    await job('batch-plan', '--model', 'flower', '--input', input, '--run', join(root, 'run-3'))
    await job('batch-part', '--part', '00000', '--run', join(root, 'run-3'))
    expect(JSON.parse(await readFile(join(root, 'run-3/rejected/00000/rejected-00000.ndjson'), 'utf8'))).toMatchObject({ file: join(input, 'b.csv'), line: 3 })
  })

  test('a file that has changed since the plan fails its part, which says so in the manifest', async () => {
    const input = await filled('changed')
    const run = join(root, 'run-4')
    await job('batch-plan', '--model', 'flower', '--input', input, '--run', run)
    await utimes(join(input, 'a.csv'), 1, 1)
    const { code, err } = await job('batch-part', '--part', '00000', '--run', run)
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('a.csv has changed since it was planned') })
    await modelport(['job', 'batch-merge', '--run', run])
    expect(JSON.parse(await readFile(join(run, 'manifest.json'), 'utf8'))).toMatchObject({ complete: false, rows: 0, failed: [{ part: '00000', inputs: ['a.csv', 'b.csv', 'sub/c.ndjson'], error: expect.stringContaining('has changed') }] })
  })

  test('a part that nobody has ended is a failed one', async () => {
    const run = join(root, 'run-5')
    await job('batch-plan', '--model', 'flower', '--input', await filled('never'), '--run', run)
    const { err } = await modelport(['job', 'batch-merge', '--run', run])
    expect(err).toMatch(/^part 00000 failed .*never begun/)
  })

  test.each([
    ['no step', [], 2, 'say which step: batch-plan, batch-part, batch-merge, train'],
    ['an unknown step', ['reduce'], 2, 'there is no step "reduce"'],
    ['no model', ['batch-plan', '--input', '.', '--run', 'x'], 2, '--model is missing'],
    ['a wrong size', ['batch-plan', '--model', 'flower', '--input', '.', '--run', 'x', '--part-size', '64'], 2, '--part-size must be a size such as 64MB'],
    ['a wrong time', ['train', '--name', 'n', '--raw', '.', '--clean', '.', '--run', 'x', '--at', 'noon'], 2, '--at must be a time'],
    ['a run without a plan', ['batch-part', '--run', '/nonexistent', '--part', '00000'], 1, 'plan.json is not there'],
    ['an empty folder', ['batch-plan', '--model', 'flower', '--input', '/nonexistent', '--run', 'x'], 1, 'there is no file with rows'],
  ])('refuses %s', async (_what, args, code, message) => {
    expect(await job(...args)).toEqual({ code, out: '', err: expect.stringContaining(message) })
  })
})

describe('a bucket as a place', () => {
  test('a batch from bucket to bucket is the one from folder to folder', async () => {
    await fakeS3()
    const input = await filled('to-bucket')
    const [from, to] = [await openPlace('s3://raw/batch'), await openPlace('s3://predictions/runs/1')]
    for (const file of Object.keys(rows)) await from.store(file, join(input, file))
    for (const [place, run] of [[input, join(root, 'run-6')], ['s3://raw/batch', 's3://predictions/runs/1']] as const) {
      expect((await job('batch-plan', '--model', 'flower', '--input', place, '--run', run)).code).toBe(0)
      expect((await job('batch-part', '--part', '00000', '--run', run)).code).toBe(0)
    }
    const key = 'predictions/00000/part-00000.csv'
    expect(Buffer.from((await to.read(key))!).toString()).toBe(await readFile(join(root, 'run-6', key), 'utf8'))
    expect(Buffer.from((await to.read('rejected/00000/rejected-00000.ndjson'))!).toString()).toContain('"file":"s3://raw/batch/b.csv"')
    await from.write('a.csv', 'length,kind\n1,red\n')
    expect((await job('batch-part', '--part', '00000', '--run', 's3://predictions/runs/1')).err).toContain('s3://raw/batch/a.csv has changed since it was planned')
  })
})

describe('a step as a function', () => {
  test('takes the words of the command line, and fails with what it complains of', async () => {
    const run = join(root, 'run-7')
    const command = ['job', 'batch-plan', '--model', 'flower', '--input', await filled('function'), '--run', run, '--models', models.path, '--json']
    expect((await handler({ command })).out.map(line => JSON.parse(line) as object)).toEqual([expect.objectContaining({ parts: 1 })])
    await expect(handler({ command: ['job', 'batch-part', '--run', '/nonexistent', '--part', '0'] })).rejects.toMatchObject({ name: 'JobFailed', message: expect.stringContaining('plan.json is not there') })
  })

  test.each([[undefined], [{}], [{ command: 'job' }], [{ command: ['serve'] }], [{ command: ['job', 1] }]])('refuses the event %j', async event => {
    await expect(handler(event)).rejects.toMatchObject({ name: 'JobFailed', message: expect.stringContaining('["job", …]') })
  })
})
