import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Manifest } from '../../src/artifact/manifest.ts'
import { type Files, flowerFiles, repository, withManifest } from '../helpers/models.ts'
import { modelport } from './modelport.ts'

/** A sound flower with these metrics. */
export function scored (version: string, metrics?: Manifest['metrics'], different: Partial<Manifest> = {}): Files {
  const { 'manifest.json': _, ...files } = flowerFiles()
  return withManifest(files, { version, ...(metrics === undefined ? {} : { metrics }), ...different })
}

/** A repository that goes with the test, and `modelport` over it. */
export async function registry (contents: Parameters<typeof repository>[0]) {
  const { path, remove } = await repository(contents)
  onTestFinished(remove)
  const read = async (file: string): Promise<string | undefined> => await readFile(join(path, 'flower', file), 'utf8').catch(() => undefined)
  return {
    path,
    run: async (...args: string[]) => await modelport(args, { env: { MODELS_DIR: path, USER: 'ada' } }),
    aliases: async () => JSON.parse(await read('aliases.json') ?? 'null') as unknown,
    history: async () => (await read('history.jsonl') ?? '').split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>),
  }
}
