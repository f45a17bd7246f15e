import { hostname } from 'node:os'
import packageJson from '../../package.json' with { type: 'json' }
import { ArtifactError } from '../artifact/artifact-error.ts'
import { type Artifact, readArtifact } from '../artifact/read.ts'
import type { ModelEntry, ModelStore } from '../artifact/store.ts'
import { FatalError } from '../errors.ts'
import { type Terminal, UsageError } from './verb.ts'

/** Who changes an alias, and why, as history.jsonl keeps it. */
export interface Author { readonly who: string, readonly why: string | null, readonly tool: string }

/** @throws UsageError */
export function readAuthor ({ who, why }: { who?: string | undefined, why?: string | undefined }, { env }: Terminal): Author {
  if (who === '') throw new UsageError('--who is empty')
  const user = env['USER'] || env['LOGNAME'] || env['USERNAME'] || 'unknown'
  return { who: who ?? `${user}@${hostname()}`, why: why ?? null, tool: packageJson.version }
}

/** @throws FatalError that names the versions there are */
export function checkVersion ({ name, versions }: ModelEntry, version: string): string {
  if (!versions.includes(version)) throw new FatalError(`${name} has no version "${version}"; it has ${versions.join(', ') || 'none'}`)
  return version
}

/** @throws FatalError that names the version */
export async function openVersion (store: ModelStore, name: string, version: string): Promise<Artifact> {
  try {
    return await readArtifact(store.version(name, version))
  } catch (error) {
    throw error instanceof ArtifactError ? new FatalError(`${name} ${version}: ${error.message}`, { cause: error }) : error
  }
}

/** Columns as wide as their widest cell. */
export function textTable (rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd())
}

/** 1536 → "1.5 KiB". */
export function sizeText (bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const units = ['KiB', 'MiB', 'GiB']
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length)
  return `${(bytes / 1024 ** power).toFixed(1)} ${units[power - 1]}`
}

/** Without zeros at the end, six digits at most. */
export function numberText (value: number): string {
  return `${Number(value.toPrecision(6))}`
}
