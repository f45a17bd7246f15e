import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../../src/cli/run.ts'

export interface Bench {
  readonly folder: string
  readonly models: string
  /** Writes files into the folder; objects become JSON. */
  files: (contents: Record<string, Uint8Array | string | object>) => Promise<void>
  /** `modelport …` in that folder; `{}` in an argument stands for it. */
  run: (...args: string[]) => Promise<Outcome>
  remove: () => Promise<void>
}

export interface Outcome { readonly code: number, readonly out: string, readonly err: string }

/** A folder of its own with an empty model repository in it. */
export async function bench (): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'modelport-import-'))
  const models = join(folder, 'models')
  return {
    folder,
    models,
    async files (contents) {
      for (const [name, content] of Object.entries(contents)) {
        await writeFile(join(folder, name), content instanceof Uint8Array || typeof content === 'string' ? content : JSON.stringify(content))
      }
    },
    async run (...args) {
      const out: string[] = []
      const err: string[] = []
      const code = await run(args.map(arg => arg.replace('{}', folder)), {
        env: { MODELS_DIR: models, SOURCE_DATE_EPOCH: '1795240800' }, out: line => out.push(line), err: line => err.push(line),
      })
      return { code, out: out.join('\n'), err: err.join('\n') }
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
