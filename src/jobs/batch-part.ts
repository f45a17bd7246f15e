import { readFile, mkdir, writeFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { JobManifest } from '../batch/job.ts'
import { FatalError } from '../errors.ts'
import { type Place, addressOf } from './place.ts'
import { type Output, type Plan, type ScoredPart, statusKey, writeJson } from './run-files.ts'

export interface PartRequest {
  readonly plan: Plan
  readonly part: string
  readonly input: Place
  readonly run: Place
  /** Scores local files into a local folder, as `modelport batch` does. */
  readonly score: (inputs: readonly string[], output: string) => Promise<JobManifest>
  /** An empty folder of this machine with room for the part and its predictions. */
  readonly work: string
}

/**
 * Scores one part of a run. The same part again gives the same keys and the same bytes; its status is written last, so
 * where that stands, all is there.
 *
 * @throws FatalError; then the status has the reason
 */
export async function scorePart (request: PartRequest): Promise<ScoredPart> {
  const { part, run } = request
  const names = new Map<string, string>()
  try {
    const scored = await fetchAndScore(request, names)
    await writeJson(run, statusKey(part), scored)
    return scored
  } catch (error) {
    if (!(error instanceof FatalError)) throw error
    const message = [...names].reduce((text, [path, address]) => text.replaceAll(path, address), error.message)
    await writeJson(run, statusKey(part), { part, error: message })
    throw new FatalError(`part ${part}: ${message}`, { cause: error })
  }
}

/** @param names gets the files' addresses by their local paths */
async function fetchAndScore ({ plan, part, input, run, score, work }: PartRequest, names: Map<string, string>): Promise<ScoredPart> {
  const planned = plan.parts.find(candidate => candidate.part === part)
  if (planned === undefined) throw new FatalError(`the plan has no part ${part}; it has ${plan.parts.length}, from 00000`)
  const paths: string[] = []
  for (const [i, file] of planned.files.entries()) {
    const folder = join(work, 'in', String(i))
    const path = join(folder, basename(file.key))
    names.set(path, addressOf(input, file.key))
    await mkdir(folder, { recursive: true })
    await input.fetch(file, path)
    paths.push(path)
  }
  const output = join(work, 'out')
  const { model, inputs, rows, predicted, rejected, parts } = await score(paths, output)
  if (model.digest !== plan.model.digest) throw new FatalError(`${model.name} ${model.version} is not what it was when the run was planned: plan anew`)
  const outputs: Output[] = []
  const rejects: Output[] = []
  for (const { file, bytes, sha256, predicted: rows, rejected } of parts) {
    const key = `predictions/${part}/${file}`
    await run.store(key, join(output, file))
    outputs.push({ key, bytes, sha256, rows })
    if (rejected !== undefined) rejects.push(await storeRejects(run, `rejected/${part}/${rejected.file}`, join(output, rejected.file), rejected.rows, names))
  }
  return { part, inputs: inputs.map(({ bytes, sha256 }, i) => ({ key: planned.files[i]!.key, bytes, sha256 })), rows, predicted, rejected, outputs, rejects }
}

/** Rows that were refused name the file that everybody knows, not the copy of this machine. */
async function storeRejects (run: Place, key: string, path: string, rows: number, names: ReadonlyMap<string, string>): Promise<Output> {
  const lines = (await readFile(path, 'utf8')).split('\n').map(line => {
    if (line === '') return line
    const { file, ...rest } = JSON.parse(line) as { file: string }
    return JSON.stringify({ file: names.get(file) ?? file, ...rest })
  })
  const bytes = Buffer.from(lines.join('\n'))
  await writeFile(path, bytes)
  await run.store(key, path)
  return { key, bytes: bytes.byteLength, sha256: createHash('sha256').update(bytes).digest('hex'), rows }
}
