import { digestOf } from '../serving/load-version.ts'
import type { Model } from '../serving/model.ts'
import type { InputFile } from './input-files.ts'
import type { OutputFormat } from './output-lines.ts'
import type { WrittenFile } from './write-file.ts'

export interface JobOptions {
  readonly format: OutputFormat
  readonly gzip: boolean
  readonly keep: readonly string[]
  readonly partRows: number
}

/** All that the bytes of the output follow from: kept in job.json, so that only the same job goes on. */
export interface Job {
  readonly schemaVersion: 1
  readonly model: {
    readonly name: string
    readonly version: string
    /** Of model.onnx. */
    readonly sha256: string
    /** Of the manifest, which has the hashes of all other files. */
    readonly digest: string
  }
  readonly inputs: readonly Pick<InputFile, 'path' | 'bytes' | 'modifiedMs'>[]
  readonly options: JobOptions
}

/** Between two rows of the inputs. */
export interface Place {
  /** Index of the input. */
  readonly input: number
  /** Bytes of it that are before, as they are unpacked; of Parquet, rows. */
  readonly at: number
  /** The line that begins there, from 1; of Parquet, the number of the row. */
  readonly line: number
}

/** A part that is finished: so many rows of the input, those that were rejected among them. */
export interface Part extends WrittenFile {
  readonly rows: number
  readonly predicted: number
  /** Behind its last row: there the next part goes on. */
  readonly upTo: Place
  readonly rejected?: WrittenFile & { readonly rows: number }
}

/** manifest.json: written last, so that where it stands, all is there. */
export interface JobManifest extends Omit<Job, 'inputs'> {
  readonly complete: true
  readonly inputs: readonly (Job['inputs'][number] & { readonly sha256: string })[]
  readonly rows: number
  readonly predicted: number
  readonly rejected: number
  readonly parts: readonly Part[]
}

export function describeJob ({ artifact, manifest: { name, version, files } }: Pick<Model, 'artifact' | 'manifest'>, inputs: readonly InputFile[], { format, gzip, keep, partRows }: JobOptions): Job {
  return {
    schemaVersion: 1,
    model: { name, version, sha256: files['model.onnx']?.sha256 ?? '', digest: digestOf(artifact) },
    inputs: inputs.map(({ path, bytes, modifiedMs }) => ({ path, bytes, modifiedMs })),
    options: { format, gzip, keep, partRows },
  }
}

/** What another job was about, in words; none for the same. */
export function differences (before: Job, now: Job): string[] {
  return [...membersThatDiffer('model', before.model, now.model), ...inputsThatDiffer(before.inputs, now.inputs), ...membersThatDiffer('options', before.options, now.options)]
}

function membersThatDiffer<T extends object> (what: string, before: T, now: T): string[] {
  return (Object.keys(now) as (keyof T & string)[]).flatMap(key => {
    const [old, present] = [JSON.stringify(before[key]), JSON.stringify(now[key])]
    return old === present ? [] : [`${what}.${key} was ${old}, is ${present}`]
  })
}

function inputsThatDiffer (before: Job['inputs'], now: Job['inputs']): string[] {
  const old = new Map(before.map(input => [input.path, input]))
  const present = new Set(now.map(({ path }) => path))
  const gone = before.filter(({ path }) => !present.has(path)).map(({ path }) => `${path} was an input and is none`)
  const others = now.flatMap(({ path, bytes, modifiedMs }) => {
    const was = old.get(path)
    if (was === undefined) return [`${path} was no input`]
    return was.bytes === bytes && was.modifiedMs === modifiedMs ? [] : [`${path} has changed`]
  })
  const found = [...gone, ...others]
  const isReordered = found.length === 0 && before.some(({ path }, i) => path !== now[i]?.path)
  return isReordered ? ['the inputs were in another order'] : found
}
