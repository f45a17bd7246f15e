import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { outputFormats } from '../batch/output-lines.ts'
import { openPlace } from '../jobs/open-place.ts'
import type { Place } from '../jobs/place.ts'
import type { Plan } from '../jobs/run-files.ts'
import { UsageError } from './verb.ts'

/** Every flag of every step: which of them a step reads is its own affair. */
export function parseJob<Name extends string> (args: readonly string[], names: readonly Name[]): Partial<Record<Name, string>> & { json: boolean } {
  const options = Object.fromEntries(names.map(name => [name, { type: 'string' as const }]))
  const { json, ...values } = parseArgs({ args: [...args], options: { ...options, json: { type: 'boolean' } } }).values
  return { ...values as Partial<Record<Name, string>>, json: json === true }
}

/** @throws UsageError where it was not given */
export function needed (flags: Readonly<Record<string, string | boolean | undefined>>, name: string, what: string): string {
  const value = flags[name]
  if (typeof value !== 'string' || value === '') throw new UsageError(`--${name} is missing: ${what}`)
  return value
}

export async function placeOf (flags: Readonly<Record<string, string | boolean | undefined>>, name: string, what: string): Promise<Place> {
  return await openPlace(needed(flags, name, what))
}

/** A folder of this process under the system's temporary one, gone when the work is done. */
export async function withWorkFolder<T> (work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'modelport-job-'))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** @throws UsageError */
export function readOptions ({ format: wanted = 'csv', keep = '', 'part-rows': rows = '50000' }: { format?: string, keep?: string, 'part-rows'?: string }): Plan['options'] {
  const format = outputFormats.find(known => known === wanted)
  if (format === undefined) throw new UsageError(`--format must be one of ${outputFormats.join(', ')}, not ${JSON.stringify(wanted)}`)
  const names = keep.split(',').map(name => name.trim()).filter(name => name !== '')
  return { format, gzip: false, keep: names, partRows: readWhole('part-rows', rows, 1, 1_000_000) }
}

/** @throws UsageError */
export function readWhole (flag: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new UsageError(`--${flag} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}`)
  return value
}

const units = { KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 }

/** @throws UsageError */
export function readSize (flag: string, text: string): number {
  const [, digits, unit] = /^(\d{1,4})(KB|MB|GB)$/i.exec(text) ?? []
  if (digits === undefined || Number(digits) === 0) throw new UsageError(`--${flag} must be a size such as 64MB or 2GB, not ${JSON.stringify(text)}`)
  return Number(digits) * units[unit!.toUpperCase() as keyof typeof units]
}
