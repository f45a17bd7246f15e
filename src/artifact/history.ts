import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import Type, { type Static } from 'typebox'
import { FatalError } from '../errors.ts'
import { parseJson } from './json.ts'

const Version = Type.Union([Type.String(), Type.Null()])

/** One line of history.jsonl: an alias that was changed. */
export const ChangeSchema = Type.Object({
  at: Type.String(),
  who: Type.String(),
  action: Type.Union([Type.Literal('promote'), Type.Literal('rollback')]),
  alias: Type.String(),
  /** Null: there was no such alias. */
  from: Version,
  to: Type.String(),
  why: Version,
  /** Of modelport. */
  tool: Type.String(),
})

export type Change = Static<typeof ChangeSchema>

/**
 * The changes of a model's aliases in the order in which they took effect. An unfinished last line is none.
 *
 * @throws FatalError that names the line
 */
export async function readHistory (folder: string): Promise<Change[]> {
  return parseHistory((await readOptionalFile(historyPath(folder)))?.toString('utf8') ?? '', historyPath(folder))
}

/**
 * @param path for messages
 * @throws FatalError that names the line
 */
export function parseHistory (text: string, path: string): Change[] {
  const lines = text.split('\n')
  const last = lines.pop() ?? ''
  return [...lines, ...(isChange(last) ? [last] : [])].flatMap((line, i) => line.trim() === '' ? [] : [parseLine(path, line, i)])
}

/** Whether the history ends with this change. */
export async function endsWith (folder: string, change: Change): Promise<boolean> {
  const text = (await readOptionalFile(historyPath(folder)))?.toString('utf8') ?? ''
  return text.trimEnd().endsWith(JSON.stringify(change))
}

/** Adds a line and brings it to the disk. What an earlier crash left of a line is cut off first. */
export async function appendChange (folder: string, change: Change): Promise<void> {
  const path = historyPath(folder)
  const before = await readOptionalFile(path) ?? Buffer.alloc(0)
  const end = before.lastIndexOf('\n') + 1
  const isWhole = end === before.length || isChange(before.subarray(end).toString('utf8'))
  const handle = await open(path, 'a')
  try {
    if (!isWhole) await handle.truncate(end)
    const gap = isWhole && end < before.length ? '\n' : ''
    await handle.writeFile(`${gap}${JSON.stringify(change)}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * What an alias has named, oldest first, without what was rolled back: the last is the present one, the one
 * before it is where a rollback leads.
 *
 * @param current what the alias names now, whoever has set it
 */
export function trailOf (changes: readonly Change[], alias: string, current: string | undefined): string[] {
  const trail: string[] = []
  const follow = (version: string | null | undefined): void => {
    if (version !== null && version !== undefined && trail.at(-1) !== version) trail.push(version)
  }
  for (const { action, from, to } of changes.filter(change => change.alias === alias)) {
    follow(from)
    if (action === 'rollback' && trail.includes(to)) trail.length = trail.lastIndexOf(to) + 1
    else follow(to)
  }
  follow(current)
  return trail
}

function historyPath (folder: string): string {
  return join(folder, 'history.jsonl')
}

function parseLine (path: string, line: string, index: number): Change {
  try {
    return parseJson(ChangeSchema, Buffer.from(line))
  } catch (error) {
    throw new FatalError(`${path}: line ${index + 1}: ${(error as Error).message}: mend the line, or remove it`, { cause: error })
  }
}

function isChange (line: string): boolean {
  try {
    parseJson(ChangeSchema, Buffer.from(line))
    return true
  } catch {
    return false
  }
}

async function readOptionalFile (path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new FatalError(`${path} cannot be read (${code})`, { cause: error })
  }
}
