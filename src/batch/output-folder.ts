import { readFile, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FatalError } from '../errors.ts'
import { type Job, type JobManifest, type Part, differences } from './job.ts'
import { lockFile } from './lock.ts'
import { appendLine, draftOf, writeWhole } from './write-file.ts'

const jobFile = 'job.json'
const manifestFile = 'manifest.json'
/** A line for each finished part, until the manifest has them all. */
const partsFile = '.parts.ndjson'

const ours = /^(job\.json|manifest\.json|(part|rejected)-\d{5,}\.(csv|ndjson|parquet)(\.gz)?)$/
/** What a job that was killed may leave. */
const drafts = /^\.(parts\.ndjson|lock.*|.*\.draft)$/

/**
 * Where a job writes, before it writes anything.
 *
 * @throws FatalError when files are in it that are no job's
 */
export async function checkFolder (folder: string): Promise<void> {
  const files = await listFolder(folder)
  const foreign = files.find(file => !ours.test(file) && !drafts.test(file))
  if (foreign !== undefined && !files.includes(jobFile)) throw new FatalError(`--output: ${folder} is not empty and no batch job's: ${foreign} is in it. Choose a folder that is new or empty`)
}

/** The finished parts of the job that the folder is for. */
export interface OpenedFolder {
  readonly parts: readonly Part[]
  /** All is done. */
  readonly manifest: JobManifest | undefined
}

/**
 * Sets the job down where there is none yet, and finds what of it is finished. Only with the folder locked.
 *
 * @throws FatalError when the folder is for another job, unless that is thrown away
 */
export async function openFolder (folder: string, job: Job, restart: boolean): Promise<OpenedFolder> {
  await checkFolder(folder)
  if (restart) await clear(folder)
  const before = await readJson<Job>(folder, jobFile)
  if (before === undefined) {
    await clear(folder)
    await writeWhole(folder, jobFile, jsonBytes(job))
    return { parts: [], manifest: undefined }
  }
  const differing = differences(before, job)
  if (differing.length > 0) throw new FatalError(`${folder} has the output of another job: ${differing.slice(0, 10).join('; ')}. Choose another --output, or throw that away with --restart`)
  const manifest = await readJson<JobManifest>(folder, manifestFile)
  const known = manifest?.parts ?? await readParts(folder)
  const parts = await intact(folder, known)
  if (manifest !== undefined && parts.length === known.length) {
    await rm(join(folder, partsFile), { force: true })
    return { parts, manifest }
  }
  await rm(join(folder, manifestFile), { force: true })
  // Without the line that was being written when the last process ended.
  await writeWhole(folder, partsFile, Buffer.from(parts.map(part => `${JSON.stringify(part)}\n`).join('')))
  return { parts, manifest: undefined }
}

export async function addPart (folder: string, part: Part): Promise<void> {
  await appendLine(folder, partsFile, JSON.stringify(part))
}

export async function writeManifest (folder: string, manifest: JobManifest): Promise<void> {
  await writeWhole(folder, manifestFile, jsonBytes(manifest))
  await rm(join(folder, partsFile), { force: true })
}

/** The parts up to the first that is not there as it was written. */
async function intact (folder: string, parts: readonly Part[]): Promise<Part[]> {
  const sound: Part[] = []
  for (const part of parts) {
    const files = [part, ...(part.rejected === undefined ? [] : [part.rejected])]
    const sizes = await Promise.all(files.map(({ file }) => stat(join(folder, file)).then(({ size }) => size, () => -1)))
    if (files.some(({ bytes }, i) => bytes !== sizes[i])) break
    sound.push(part)
  }
  return sound
}

async function readParts (folder: string): Promise<Part[]> {
  const text = await readFile(join(folder, partsFile), 'utf8').catch(() => '')
  const lines = text.split('\n')
  lines.pop()
  return lines.map(line => JSON.parse(line) as Part)
}

/** @throws FatalError when it is there and cannot be read */
async function readJson<T> (folder: string, file: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(join(folder, file), 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new FatalError(`${join(folder, file)} cannot be read: ${(error as Error).message}. Begin again with --restart`, { cause: error })
  }
}

/** job.json goes last: until then the folder is known to be a job's. */
async function clear (folder: string): Promise<void> {
  const files = (await listFolder(folder)).filter(file => ours.test(file) || (drafts.test(file) && !file.startsWith(lockFile)))
  for (const file of files.filter(file => file !== jobFile)) await rm(join(folder, file), { force: true })
  await rm(join(folder, draftOf(jobFile)), { force: true })
  await rm(join(folder, jobFile), { force: true })
}

async function listFolder (folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new FatalError(`--output: ${folder} ${code === 'ENOTDIR' ? 'is a file, not a folder' : `cannot be read (${code})`}`)
  }
}

function jsonBytes (value: object): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`)
}
