import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { shopCsv } from '../../demo/shop.ts'
import { hasDuckdb } from '../etl/duckdb.ts'
import { modelport } from './modelport.ts'

/** raw.csv and clean.parquet. */
let inputs: string
let folder: string

beforeAll(async () => {
  inputs = await mkdtemp(join(tmpdir(), 'modelport-etl-killed-'))
  await writeFile(join(inputs, 'raw.csv'), shopCsv({ transactions: 40_000, seed: 7 }))
  if (hasDuckdb) await modelport(['etl', 'clean', '--input', join(inputs, 'raw.csv'), '--output', join(inputs, 'clean.parquet')])
})
afterAll(() => rm(inputs, { recursive: true }))

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'modelport-etl-killed-'))
  await mkdir(at('spill'))
  await mkdir(at('out'))
  await writeFile(at('out/made.csv'), 'what was there before\n')
})
afterEach(() => rm(folder, { recursive: true }))

function at (name: string): string {
  return join(folder, name)
}

/** `modelport etl …` in a process of its own. */
function etl (...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['dist/cli.js', 'etl', ...args], { env: { PATH: process.env['PATH'] ?? '', TMPDIR: at('spill') }, stdio: 'ignore' })
}

const commands = {
  clean: () => ['clean', '--input', join(inputs, 'raw.csv'), '--output', at('out/made.csv'), '--report', at('out/report.json')],
  rfm: () => ['rfm', '--input', join(inputs, 'clean.parquet'), '--cutoff', '2011-09-01', '--output', at('out/made.csv')],
} as const
async function ended (child: ChildProcess): Promise<unknown> {
  return await once(child, 'close')
}

/** Waits until the command is at work: once it has a folder to spill into, and then for so long. */
async function atWork (child: ChildProcess, forMs: number): Promise<void> {
  while ((await readdir(at('spill'))).length === 0 && child.exitCode === null) await delay(2)
  await delay(forMs)
}

async function isWhole (): Promise<boolean> {
  const text = await readFile(at('out/made.csv'), 'utf8')
  return text === 'what was there before\n' || (text.endsWith('\n') && text.split('\n').length > 100)
}

describe.skipIf(!hasDuckdb || process.platform === 'win32').each(['clean', 'rfm'] as const)('etl %s', command => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('ends by %s, leaves what was there, and nothing else', async signal => {
    const child = etl(...commands[command]())
    await atWork(child, 0)
    child.kill(signal)
    expect(await ended(child)).toEqual([null, signal])
    expect(await readdir(at('spill'))).toEqual([])
    expect(await readdir(at('out'))).toEqual(['made.csv'])
    expect(await readFile(at('out/made.csv'), 'utf8')).toBe('what was there before\n')
  })

  test('killed at any moment leaves whole files under their names, and the next one sweeps the rest', async () => {
    for (const forMs of [0, 90, 180]) {
      const child = etl(...commands[command]())
      await atWork(child, forMs)
      child.kill('SIGKILL')
      await ended(child)
      expect(await isWhole()).toBe(true)
    }
    expect(await ended(etl(...commands[command]()))).toEqual([0, null])
    expect(await readdir(at('spill'))).toEqual([])
    expect((await readdir(at('out'))).filter(name => name.startsWith('.'))).toEqual([])
    expect((await readFile(at('out/made.csv'), 'utf8')).split('\n').length).toBeGreaterThan(100)
  })
})

test.skipIf(!hasDuckdb)('what others may still be writing is not swept', async () => {
  const ours = '.modelport-etl-'
  const names = [`${ours}00000000-1-abcdef-other.csv`, `${ours}00000000-2-abcdef-forgotten.csv`, '.modelport-etl-notes.txt', '.12-abcdef-made.csv']
  for (const name of names) await writeFile(at(`out/${name}`), '')
  const long = new Date(Date.now() - 25 * 3_600_000)
  await utimes(at(`out/${names[1]}`), long, long)
  expect(await ended(etl(...commands.clean()))).toEqual([0, null])
  expect((await readdir(at('out'))).filter(name => name.startsWith('.')).sort()).toEqual([names[3], names[0], names[2]])
})
